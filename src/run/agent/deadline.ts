import { eitherOf } from "../../core/abort.ts";
import type { Clock } from "../../ports/clock.ts";

/** How long a run has left. Times are those of the machines' clocks, since a run goes from one to another. */
export interface RunTime {
  /** Counts as waited, not as run. */
  waited(ms: number): void;
  /** A signal that also ends when the time is up; undefined where it is up already. */
  limit(signal: AbortSignal): TimeLimit | undefined;
}

export interface TimeLimit {
  readonly signal: AbortSignal;
  readonly isUp: () => boolean;
}

/** Timers of Node that are set to longer end at once. */
const longestTimerMs = 2 ** 31 - 1;

export function openRunTime(clock: Clock, startedMs: number, seconds: number | undefined): RunTime {
  let waitedMs = 0;
  return {
    waited: (ms) => void (waitedMs += ms),
    limit(signal) {
      if (seconds === undefined) return { signal, isUp: () => false };
      const leftMs = seconds * 1000 - (clock.now().getTime() - startedMs - waitedMs);
      if (leftMs <= 0) return undefined;
      const timeout = AbortSignal.timeout(Math.min(Math.ceil(leftMs), longestTimerMs));
      return { signal: eitherOf(signal, timeout).signal, isUp: () => timeout.aborted };
    },
  };
}
