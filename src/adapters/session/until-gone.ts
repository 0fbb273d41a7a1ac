import { TwelveError } from "../../core/errors.ts";
import { type Pause, pauseMs } from "./outcome.ts";

/** What one look showed, and took away. */
export interface Round {
  /** How many things were still listed. */
  readonly listed: number;
  /** None that had not been deleted before: the list lags. */
  readonly isStale: boolean;
}

const mostRounds = 12;
const longestMs = 60_000;
const longestPauseMs = 5000;

/**
 * Deletes until nothing is listed, because somebody may go on with what is being deleted; not without end, because lists lag.
 * `what` is told where something is still listed then.
 */
export async function deleteUntilGone(what: string, pause: Pause, round: () => Promise<Round>): Promise<void> {
  const startMs = performance.now();
  for (let rounds = 1; ; rounds += 1) {
    const { listed, isStale } = await round();
    if (listed === 0) return;
    if (rounds === mostRounds || performance.now() - startMs > longestMs) throw stillListed(what, { listed, isStale, rounds });
    if (isStale) await pause(Math.min(longestPauseMs, pauseMs(rounds)));
  }
}

function stillListed(what: string, { listed, isStale, rounds }: Round & { readonly rounds: number }): TwelveError {
  const why = isStale ? "all of it was deleted, and the list may be late" : "somebody goes on with it";
  return new TwelveError("SERVICE_UNAVAILABLE", `${what}: ${listed} still listed after ${rounds} rounds of deletion; ${why}`, { retry: { afterMs: null }, fix: "Delete it again in a few minutes, until nothing is said" });
}
