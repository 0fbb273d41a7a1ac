const shortestMs = 1000;
const longestMs = 30_000;
/** What served so long was well: what ends it then has nothing to do with how it started. */
const wellMs = 10_000;
/** Flags, configuration and releases that are wrong stay wrong: another start would end the same way. */
const lasting = new Set([2, 4, 5]);

export interface Ending {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly ranMs: number;
  /** How long it did its work; undefined when it had not begun it. */
  readonly servedMs: number | undefined;
}

/** Whether a type cannot be run as things are, as the first process of it shows; `wasReady` is whether any has ever begun its work. */
export function isHopeless({ exitCode }: Pick<Ending, "exitCode">, wasReady: boolean): boolean {
  return !wasReady && exitCode !== null && lasting.has(exitCode);
}

/** How often in a row it has failed by now; `wasReady` is whether one of its type has ever begun its work. */
export function countCrash(before: number, { signal, servedMs }: Ending, wasReady: boolean): number {
  // Killed from outside: it is no worse for that, however often it happens. A first start that is killed has no room, rather.
  if (signal === "SIGKILL" && wasReady) return 0;
  return servedMs !== undefined && servedMs >= wellMs ? 0 : before + 1;
}

/**
 * Nothing for what did its work, save that no process starts more than once a second. For what fails in its start, or soon after, from 1 to 30
 * seconds: the longest wait doubles with every crash, and chance (from 0 to 1) keeps processes that ended together from starting together.
 */
export function restartDelayMs(crashes: number, { ranMs }: Pick<Ending, "ranMs">, chance: number): number {
  if (crashes === 0) return Math.round(Math.max(0, shortestMs - ranMs));
  const most = Math.min(longestMs, shortestMs * 2 ** crashes);
  return Math.round(shortestMs + chance * (most - shortestMs));
}
