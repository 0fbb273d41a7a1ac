import type { Clock } from "../../ports/clock.ts";
import { runIdBytes } from "../agent/run-id.ts";

/** When every answer of a mock was made: equal requests get equal bytes. */
export const madeAt: Date = new Date(Date.UTC(2026, 0, 1));

export interface StillClock extends Clock {
  /** Numbers runs from the first again. */
  reset(): void;
}

/** Stands still, but for what is measured. What is drawn at random is always the same; only runs are told apart, by their number. */
export function stillClock(clock: Pick<Clock, "monotonicMs">): StillClock {
  let runs = 0;
  return {
    now: () => madeAt,
    monotonicMs: () => clock.monotonicMs(),
    randomHex: (sizeBytes) => (sizeBytes === runIdBytes ? String(++runs) : "1").padStart(sizeBytes * 2, "0"),
    reset: () => void (runs = 0),
  };
}
