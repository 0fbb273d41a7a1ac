import { TwelveError } from "./errors.ts";

export interface RetryTools {
  /** Rejects with the signal's reason when it is aborted. */
  readonly sleep: (ms: number) => Promise<void>;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Told before each wait. */
  readonly onRetry: (failure: TwelveError, waitMs: number, attempt: number) => void;
  /** Whether to wait so long after that attempt, counted from 1; always where nothing is said. There are never more than seven. */
  readonly isWorthIt?: (waitMs: number, attempt: number) => boolean;
  /** How many calls of the same service have succeeded: one that limits the rate and answers others is not down. */
  readonly successes?: () => number;
}

const attempts = 7;
const firstWaitMs = 500;
const longestWaitMs = 30_000;
/** A service that asks for more is better asked again by a person. */
const longestRetryAfterMs = 5 * 60_000;

/**
 * Repeats a call for as long as its failure says that this can help: never before what the service asked (`Retry-After`), and with
 * exponential backoff and full jitter (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/).
 */
export async function retrying<Result>(call: () => Promise<Result>, { sleep, random, onRetry, isWorthIt = () => true, successes = () => 0 }: RetryTools): Promise<Result> {
  let before = successes();
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof TwelveError) || error.retry === undefined) throw error;
      if (error.code === "SERVICE_LIMITED" && successes() > before) attempt = 1;
      if (attempt === attempts) throw error;
      before = successes();
      const { afterMs } = error.retry;
      if (afterMs !== null && afterMs > longestRetryAfterMs) throw error;
      // A service that asks for no wait at all, or too short a one, gets a longer one each time.
      const backoffMs = Math.ceil(random() * Math.min(longestWaitMs, firstWaitMs * 2 ** (attempt - 1)));
      const waitMs = Math.max(afterMs ?? 0, backoffMs);
      if (!isWorthIt(waitMs, attempt)) throw error;
      onRetry(error, waitMs, attempt);
      await sleep(waitMs);
    }
  }
}
