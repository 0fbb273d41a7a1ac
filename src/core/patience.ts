import { setTimeout as sleep } from "node:timers/promises";
import { TwelveError } from "./errors.ts";
import { retrying, type RetryTools } from "./retry.ts";

/** Where a command waits: until it is interrupted, and not in silence. */
export interface Waiting {
  readonly signal: AbortSignal;
  readonly story: { note(message: string): void };
  /** What is waited for: whatever may pass where nothing is said, a rate limit only, or nothing where somebody else asks again. */
  readonly patience?: Patience;
}

export type Patience = "limits" | "nothing";

/** Asks a service again for as long as that can help, and says so. For work that nobody watches by the second. */
export async function patiently<Result>(call: () => Promise<Result>, waiting: Waiting): Promise<Result> {
  if (waiting.patience === "nothing") return call();
  if (waiting.patience === undefined) return retrying(call, patienceOf(waiting));
  const outcome = await retrying(() => call().then(succeeded, unlessLimited), patienceOf(waiting));
  if ("failure" in outcome) throw outcome.failure;
  return outcome.result;
}

function succeeded<Result>(result: Result): { readonly result: Result } {
  return { result };
}

/** A rate limit is thrown, and so asked again; any other failure is handed over. */
function unlessLimited(failure: unknown): { readonly failure: unknown } {
  if (failure instanceof TwelveError && failure.code === "SERVICE_LIMITED") throw failure;
  return { failure };
}

const toldAgainMs = 5000;

export function patienceOf({ signal, story }: Waiting): RetryTools {
  // Many requests under way fail for one reason, which is told once.
  const told = { message: "", atMs: Number.NEGATIVE_INFINITY };
  return {
    sleep: (ms) => wait(ms, signal),
    random: Math.random,
    onRetry({ message }, waitMs) {
      const nowMs = performance.now();
      if (message === told.message && nowMs - told.atMs < toldAgainMs) return;
      Object.assign(told, { message, atMs: nowMs });
      story.note(`${message}; asking again in ${(waitMs / 1000).toFixed(1)} s`);
    },
  };
}

interface OnceMoreTools {
  readonly signal: AbortSignal | undefined;
  readonly sleep?: (ms: number) => Promise<void>;
  readonly nowMs?: () => number;
}

const shortWaitMs = 200;
/** What takes longer than this, the first attempt or the wait that the service asks for, is not worth it to somebody who waits for the answer. */
const patienceMs = 1000;

/** Asks a service a second time where its failure came soon and may pass soon. */
export async function onceMore<Result>(call: () => Promise<Result>, { signal, sleep: pause = (ms) => wait(ms, signal), nowMs = () => performance.now() }: OnceMoreTools): Promise<Result> {
  const startMs = nowMs();
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof TwelveError) || error.retry === undefined) throw error;
    const waitMs = error.retry.afterMs ?? shortWaitMs;
    if (waitMs > patienceMs || nowMs() - startMs > patienceMs) throw error;
    await pause(waitMs);
    return call();
  }
}

/** Rejects with the signal's reason when it is aborted. */
export async function wait(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => signal?.throwIfAborted());
}
