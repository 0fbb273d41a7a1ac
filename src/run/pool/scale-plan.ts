/** How many processes of a type there may be, and how much of its load one of them is meant for. */
export interface Scale {
  readonly min: number;
  readonly max: number;
  /** Requests under way, or waiting work, for each process; undefined where their number is fixed. */
  readonly perProcess: number | undefined;
}

/** What was seen at one moment. */
export interface Sample {
  readonly atMs: number;
  /** Requests under way in all processes, or work that waits for them. */
  readonly load: number;
}

export interface Processes {
  readonly running: number;
  /** Those of them that do their work; the others are no help. */
  readonly ready: number;
}

/** A burst is over by then. */
export const growAfterMs = 5000;
/** A process that is gone is dearer than one that idles. */
export const shrinkAfterMs = 60_000;
/** The rest must be well below their limit afterwards, or the next look would start another one again. */
const shrinkBelow = 0.5;

/**
 * How many processes there should be: one more when the load has been above what they are meant for all the time lately, one
 * fewer when it has long been well below what the rest are meant for. `samples`, the oldest first, begin with the last change.
 */
export function planScale({ min, max, perProcess }: Scale, { running, ready }: Processes, samples: readonly Sample[]): number {
  const wanted = Math.min(max, Math.max(min, running));
  if (wanted !== running || perProcess === undefined) return wanted;
  if (running < max && hasBeen(samples, growAfterMs, (load) => load > perProcess * ready)) return running + 1;
  if (running > min && hasBeen(samples, shrinkAfterMs, (load) => load <= shrinkBelow * perProcess * (ready - 1))) return running - 1;
  return running;
}

/** Whether the load was so for the whole of the last `forMs`. */
function hasBeen(samples: readonly Sample[], forMs: number, isSo: (load: number) => boolean): boolean {
  const last = samples.at(-1);
  const first = samples[0];
  if (last === undefined || first === undefined || last.atMs - first.atMs < forMs) return false;
  return samples.filter(({ atMs }) => atMs >= last.atMs - forMs).every(({ load }) => isSo(load));
}
