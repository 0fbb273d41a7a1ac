import type { Clock } from "../../ports/clock.ts";

/** When every answer of a mock was made: equal requests get equal bytes. */
const madeAt = Date.UTC(2026, 0, 1);

/** Stands still, but for what is measured. What is drawn at random is always the same. */
export function stillClock(clock: Pick<Clock, "monotonicMs">): Clock {
  return { now: () => new Date(madeAt), monotonicMs: () => clock.monotonicMs(), randomHex: (sizeBytes) => "1".padStart(sizeBytes * 2, "0") };
}
