import type { Agent, Dispatcher } from "undici";
import type { HttpAnswer } from "./failure.ts";

/** The head of an answer, and its body still to be read. */
export interface Answered {
  readonly status: number;
  readonly headers: HttpAnswer["headers"];
  readonly body: Body;
}

/** A body as it comes. */
export interface Body {
  /** The next part; undefined at the end. Fails where the connection does, and with the signal's reason. */
  read(): Promise<Uint8Array | undefined>;
  /** Nothing more of it is read; what was sent already is thrown away for so long, and so the connection can be used again. */
  leave(limitMs: number): void;
}

interface Fate {
  /** Aborted, it ends the exchange with its reason. */
  readonly signal: AbortSignal;
  /** What it means that the connection failed, before the answer began or within it. */
  readonly failureOf: (error: Error, isBegun: boolean) => Error;
}

/** What nobody has read yet; with more of it, the sender waits. */
const mostWaitingBytes = 64 * 1024;

/**
 * Sends a request and gives the answer once its head is there. It stands on what undici's own API stands on: the streams, resources
 * and listeners that this makes for each request take longer than everything else about a short answer.
 */
export function dispatch(agent: Agent, options: Dispatcher.DispatchOptions, { signal, failureOf }: Fate): Promise<Answered> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    let isBegun = false;
    let connection: Dispatcher.DispatchController | undefined;
    let state: "open" | "left" | "ended" = "open";
    let failure: Error | undefined;
    let reader: PromiseWithResolvers<Uint8Array | undefined> | undefined;
    let leaving: NodeJS.Timeout | undefined;
    const waiting: Uint8Array[] = [];
    let waitingBytes = 0;

    function end(cause?: Error): void {
      if (state === "ended") return;
      state = "ended";
      failure = cause;
      signal.removeEventListener("abort", onAbort);
      clearTimeout(leaving);
      if (cause === undefined) return reader?.resolve(undefined);
      reject(cause);
      reader?.reject(cause);
    }
    function onAbort(): void {
      waiting.length = 0;
      end(signal.reason);
      connection?.abort(signal.reason);
    }

    const body: Body = {
      read() {
        const part = waiting.shift();
        if (part !== undefined) {
          waitingBytes -= part.byteLength;
          return Promise.resolve(part);
        }
        if (failure !== undefined) return Promise.reject(failure);
        if (state === "ended") return Promise.resolve(undefined);
        reader = Promise.withResolvers();
        connection?.resume();
        return reader.promise;
      },
      leave(limitMs) {
        if (state !== "open") return;
        state = "left";
        const close = (): void => connection?.abort(new Error("Nobody reads on"));
        if (limitMs === 0) return close();
        leaving = setTimeout(close, limitMs).unref();
        connection?.resume();
      },
    };

    signal.addEventListener("abort", onAbort, { once: true });
    agent.dispatch(options, {
      onRequestStart(controller) {
        connection = controller;
        // Aborted while it waited for a connection.
        if (state === "ended") controller.abort(signal.reason);
      },
      onResponseStart(_, status, headers) {
        // Others of the hundreds only announce it.
        if (status < 200) return;
        isBegun = true;
        resolve({ status, headers, body });
      },
      onResponseData(controller, part) {
        if (state !== "open") return;
        if (reader !== undefined) {
          reader.resolve(part);
          reader = undefined;
          return;
        }
        waiting.push(part);
        waitingBytes += part.byteLength;
        if (waitingBytes > mostWaitingBytes) controller.pause();
      },
      onResponseEnd: () => end(),
      onResponseError: (_, error) => end(state === "open" ? failureOf(error, isBegun) : error),
    });
  });
}
