import { DBOS } from "@dbos-inc/dbos-sdk";
import { eitherOf } from "../../core/abort.ts";
import type { Json } from "../../core/canonical-json.ts";
import { TwelveError, summaryOf } from "../../core/errors.ts";

/** How often a step that failed is tried, with pauses of 1, 3 and 9 seconds. */
const retries = { retriesAllowed: true, maxAttempts: 4, intervalSeconds: 1, backoffRate: 3, shouldRetry: isWorthRetry } as const;

export interface StepOptions {
  /** Whether a step that failed for a passing reason is tried again; true by default. */
  readonly isRetried?: boolean;
  /** Whether a worker that stops ends the step, which is then done again elsewhere; true by default. One that must not be begun twice is waited for. */
  readonly isStopped?: boolean;
}

export interface Attempts {
  /** Whether the worker stops: nothing more is to be begun. */
  readonly isStopping: boolean;
  /** Runs one step of a handler, recorded once. Its signal tells of a cancelled job and of a worker that stops. */
  run(name: string, step: (signal: AbortSignal) => Promise<Json>, options?: StepOptions): Promise<Json>;
  /** Returns when no step runs. */
  settled(): Promise<void>;
}

export function openAttempts(stop: AbortSignal): Attempts {
  const running = new Set<Promise<unknown>>();

  async function attempt(step: (signal: AbortSignal) => Promise<Json>, isStopped: boolean): Promise<Json> {
    const cancelled = DBOS.stepStatus?.cancelSignal;
    const { signal, leave } = eitherOf(isStopped ? stop : undefined, cancelled);
    if (stop.aborted) return never();
    const work = step(signal);
    running.add(work);
    try {
      return await work;
    } catch (error) {
      // A step that was stopped has not failed: nothing is recorded, and another worker does it again.
      if (stop.aborted && isStopped) return await never();
      throw plainError(error);
    } finally {
      running.delete(work);
      leave();
    }
  }

  return {
    get isStopping() {
      return stop.aborted;
    },
    async run(name, step, { isRetried = true, isStopped = true } = {}) {
      const recorded = DBOS.runStep(() => attempt(step, isStopped), { name, ...(isRetried ? retries : {}) });
      // One that is waited for is not through before it is recorded.
      if (!isStopped) running.add(recorded);
      try {
        return await recorded;
      } catch (error) {
        throw lastOf(error);
      } finally {
        running.delete(recorded);
      }
    },
    settled: async () => void (await Promise.allSettled(running)),
  };
}

/** What a worker that stops leaves behind: nothing is recorded of it, and another one goes on. */
export function never(): Promise<never> {
  return new Promise(() => {});
}

/** What is wrong with the input stays wrong; anything else may pass. */
function isWorthRetry(error: unknown): boolean {
  const { exit } = error as { readonly exit?: number };
  return exit === undefined || exit === 6;
}

/** An error that survives the database with all that the user needs of it. */
function plainError(error: unknown): unknown {
  if (!(error instanceof TwelveError)) return error;
  const { code, fix, exit } = error;
  return Object.assign(new Error(summaryOf(error), { cause: error }), { code, fix, exit });
}

/** DBOS wraps the errors of all attempts; the last one says best what is wrong. */
function lastOf(error: unknown): unknown {
  const { errors } = error as { readonly errors?: readonly unknown[] };
  return errors?.at(-1) ?? error;
}
