import { setTimeout as sleep } from "node:timers/promises";
import { inTime } from "../../core/deadline.ts";
import { summaryOf, TwelveError } from "../../core/errors.ts";
import type { Checkable } from "../../ports/check.ts";
import type { RunEngine, RunHandler } from "../../ports/runs.ts";
import type { Story } from "../../ports/story.ts";

/** As a part of the process, it is there when runs can be begun. */
export interface RunWork extends Checkable {
  /** Resolves when runs can be begun in this process. */
  readonly ready: Promise<void>;
  /** Leaves what waits in the queue to others; what runs here goes on. */
  takeNoMore(): void;
  /** Gives back what runs, and resolves when nothing does. */
  stop(): Promise<void>;
}

interface Working {
  readonly kind: string;
  readonly handler: RunHandler;
  /** Runs from the queue at a time. */
  readonly concurrency: number;
  readonly story: Pick<Story, "note" | "warn">;
}

/** A state service that is away at the start is asked again after so long. */
const againMs = 2000;
/** A start that takes longer is spoken of: an embedded database is made at its first use, and nobody should wonder why nothing happens. */
const slowMs = 1500;
/** A database that is prepared for the first time takes seconds; whoever looks asks again. */
const checkMs = 2000;

/** Works on runs in the background: starting takes a while, and no request waits for it that does not need it. */
export function workInBackground(engine: RunEngine, { kind, handler, concurrency, story }: Working): RunWork {
  const stopping = new AbortController();
  const { signal } = stopping;
  const taking = new AbortController();
  const { promise: ready, resolve: onReady } = Promise.withResolvers<void>();
  const warn = (message: string): void => story.warn(message);

  async function keepWorking(): Promise<void> {
    while (!signal.aborted) {
      try {
        await engine.work({ [kind]: handler }, { concurrency, signal, taking: taking.signal, warn, onReady });
      } catch (error) {
        warn(`Runs of agents wait, and are tried again: ${error instanceof TwelveError ? summaryOf(error) : String(error)}`);
        await sleep(againMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  const slow = setTimeout(() => {
    story.note(`Runs of agents wait for ${engine.url} to start; an embedded database is made at its first use, which takes a while`);
    void ready.then(() => story.note("Runs of agents begin now"));
  }, slowMs);
  void ready.then(() => clearTimeout(slow));
  const working = keepWorking();
  return {
    ready,
    async check(limit) {
      try {
        await inTime(() => ready, { limitMs: checkMs, who: engine.url, signal: limit });
      } catch (cause) {
        limit?.throwIfAborted();
        // What keeps it from starting is warned of already.
        throw new TwelveError("PROCESS_NOT_READY", `The work on runs of ${engine.url} is starting`, { cause, retry: { afterMs: null } });
      }
      return { version: null, detail: `${concurrency} from the queue at a time` };
    },
    takeNoMore: () => taking.abort(),
    async stop() {
      clearTimeout(slow);
      stopping.abort();
      await working;
    },
  };
}
