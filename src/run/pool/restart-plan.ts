const shortestMs = 1000;
const longestMs = 30_000;
/** A process that ran so long was well: what ends it then has nothing to do with how it started. */
const healthyMs = 60_000;
/** Flags, configuration and releases that are wrong stay wrong: another start would end the same way. */
const lasting = new Set([2, 4, 5]);

export interface Ending {
  readonly exitCode: number | null;
  readonly ranMs: number;
  /** Whether it had ever begun its work. */
  readonly wasReady: boolean;
}

/** Whether a type cannot be run as things are, as the first process of it shows. */
export function isHopeless({ exitCode, wasReady }: Ending): boolean {
  return !wasReady && exitCode !== null && lasting.has(exitCode);
}

/** How often in a row it has ended by now. */
export function countCrash(before: number, { ranMs }: Ending): number {
  return ranMs >= healthyMs ? 1 : before + 1;
}

/** From 1 to 30 seconds: the longest wait doubles with every crash, and chance (from 0 to 1) keeps processes that ended together from starting together. */
export function restartDelayMs(crashes: number, chance: number): number {
  const most = Math.min(longestMs, shortestMs * 2 ** crashes);
  return Math.round(shortestMs + chance * (most - shortestMs));
}
