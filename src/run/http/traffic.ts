import type { ServerResponse } from "node:http";
import { TwelveError } from "../../core/errors.ts";

/** The requests under way, and whether the process is about to stop. */
export interface Traffic {
  readonly isDraining: boolean;
  /** How many requests were taken in all. */
  readonly taken: number;
  /** Follows a request to its end; the signal is aborted when the client goes away or time is up. */
  enter(response: ServerResponse): AbortSignal;
  /** From now on `isDraining` is true. Resolves when no request is under way, at the latest after `limitMs`, when the rest are cut. */
  drain(limitMs: number): Promise<void>;
}

/** Clients get this long to receive the error that tells them they were cut. */
const farewellMs = 1000;

export function trackTraffic(): Traffic {
  const underway = new Set<AbortController>();
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
  return {
    get isDraining() {
      return isDraining;
    },
    get taken() {
      return taken;
    },
    enter(response) {
      const controller = new AbortController();
      underway.add(controller);
      taken++;
      response.once("close", () => {
        underway.delete(controller);
        if (!response.writableFinished) controller.abort(new Error("The client went away"));
        if (underway.size === 0) onEmpty();
      });
      return controller.signal;
    },
    async drain(limitMs) {
      isDraining = true;
      await settled(limitMs);
      if (underway.size === 0) return;
      for (const controller of underway) controller.abort(new TwelveError("ANSWER_CUT", "The server is stopping, and the answer took longer than it could wait"));
      await settled(farewellMs);
    },
  };
}
