import { setTimeout as sleep } from "node:timers/promises";
import { TwelveError } from "../../../core/errors.ts";

const firstPauseMs = 250;
const longestPauseMs = 10_000;
/** Together some 45 seconds of pauses. */
const mostTries = 10;
/** A server that asks for more is not waited for. */
const longestAskedMs = 60_000;

/** Does the work again while its failure may pass, with pauses that grow, or as the server asks. Only for work that may be done twice. */
export async function patiently<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const retry = error instanceof TwelveError ? error.retry : undefined;
      if (retry === undefined || attempt >= mostTries || (retry.afterMs ?? 0) > longestAskedMs) throw error;
      await sleep(retry.afterMs ?? Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1)));
    }
  }
}
