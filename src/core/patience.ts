import { setTimeout as sleep } from "node:timers/promises";
import { TwelveError } from "./errors.ts";
import { retrying, type RetryTools } from "./retry.ts";

/** Where a command waits: until it is interrupted, and not in silence. */
export interface Waiting {
  readonly signal: AbortSignal;
  readonly story: { note(message: string): void };
}

/** Asks a service again for as long as that can help, and says so. For work that nobody watches by the second. */
export function patiently<Result>(call: () => Promise<Result>, waiting: Waiting): Promise<Result> {
  return retrying(call, patienceOf(waiting));
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
export async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => signal?.throwIfAborted());
}
