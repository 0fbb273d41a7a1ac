import type { IncomingMessage, ServerResponse } from "node:http";
import { TwelveError } from "../../core/errors.ts";

/** One request under way. */
export interface Visit {
  /** Aborted when the client goes away, when the answer takes too long, or when the server must stop. */
  readonly signal: AbortSignal;
  /** From now on the answer may take so long. */
  limit(limitMs: number): void;
}

/** The requests under way, and whether the process is about to stop. */
export interface Traffic {
  /** The process was asked to stop: load balancers are told to send no more. */
  readonly isStopping: boolean;
  /** Since when that is known; 0 where it is not. */
  readonly stoppingForMs: number;
  /** No new requests are taken any more. */
  readonly isDraining: boolean;
  /** How many requests are under way. */
  readonly open: number;
  /** How many requests were taken in all. */
  readonly taken: number;
  /** Follows a request to its end. */
  enter(request: IncomingMessage, response: ServerResponse): Visit;
  announceStop(): void;
  /** From now on `isDraining` is true. Resolves when no request is under way, at the latest after `limitMs`, when the rest are cut. */
  drain(limitMs: number): Promise<void>;
}

/** Clients get this long to receive the error that tells them they were cut. */
const farewellMs = 1000;
/** A request of which half has come when the stop does may be complete a moment later; one that trickles in is refused. */
const arrivalMs = 1000;

interface Underway {
  readonly request: IncomingMessage;
  readonly controller: AbortController;
}

export function trackTraffic(): Traffic {
  const underway = new Set<Underway>();
  let stoppingMs: number | undefined;
  let isDraining = false;
  let taken = 0;
  let onEmpty = (): void => {};
  const settled = (limitMs: number): Promise<void> =>
    new Promise((resolve) => {
      if (underway.size === 0) return resolve();
      const timer = setTimeout(resolve, limitMs);
      onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  function hurry({ request, controller }: Underway): void {
    if (request.complete) return;
    const late = (): void => {
      if (!request.complete) controller.abort(new TwelveError("PROCESS_STOPPING", "The server is stopping, and the request had not come to its end", { retry: { afterMs: null } }));
    };
    setTimeout(late, arrivalMs).unref();
  }
  return {
    get isStopping() {
      return stoppingMs !== undefined;
    },
    get stoppingForMs() {
      return stoppingMs === undefined ? 0 : performance.now() - stoppingMs;
    },
    get isDraining() {
      return isDraining;
    },
    get open() {
      return underway.size;
    },
    get taken() {
      return taken;
    },
    enter(request, response) {
      const controller = new AbortController();
      const visit: Underway = { request, controller };
      const { socket } = request;
      let timer: NodeJS.Timeout | undefined;
      const leave = (): void => {
        if (!underway.delete(visit)) return;
        clearTimeout(timer);
        if (!response.writableFinished) controller.abort(new Error("The client went away"));
        if (underway.size === 0) onEmpty();
      };
      underway.add(visit);
      taken++;
      if (isDraining) hurry(visit);
      response.once("close", leave);
      return {
        signal: controller.signal,
        limit(limitMs) {
          timer = setTimeout(() => {
            controller.abort(new TwelveError("ANSWER_OVERDUE", `The answer took longer than the ${limitMs / 1000} s that this server allows`));
            // Whoever does not read, or does not listen to the signal, holds the connection no longer.
            timer = setTimeout(() => socket.destroy(), farewellMs);
          }, limitMs);
        },
      };
    },
    announceStop() {
      stoppingMs ??= performance.now();
    },
    async drain(limitMs) {
      stoppingMs ??= performance.now();
      isDraining = true;
      for (const visit of underway) hurry(visit);
      await settled(limitMs);
      if (underway.size === 0) return;
      for (const { controller } of underway) controller.abort(new TwelveError("ANSWER_CUT", "The server is stopping, and the answer took longer than it could wait", { retry: { afterMs: null } }));
      await settled(farewellMs);
    },
  };
}
