import { unlessAborted } from "../../core/abort.ts";

export interface Place {
  /** Whether others of this process were before. */
  readonly isBehind: boolean;
  /** Lets the next one go. */
  readonly leave: () => void;
}

/** Lets one go at a time for each name, in the order in which they came, without asking any service. */
export function keepOrder(): (name: string, signal: AbortSignal) => Promise<Place> {
  const tails = new Map<string, Promise<void>>();
  return async (name, signal) => {
    const before = tails.get(name);
    const { promise: left, resolve } = Promise.withResolvers<void>();
    const tail = (before ?? Promise.resolve()).then(() => left);
    const forget = (): void => void (tails.get(name) === tail && tails.delete(name));
    tails.set(name, tail);
    try {
      if (before !== undefined) await unlessAborted(() => before, signal);
    } catch (error) {
      // Whoever gives up must not let the next one pass those before.
      resolve();
      void tail.then(forget);
      throw error;
    }
    const leave = (): void => {
      resolve();
      forget();
    };
    return { isBehind: before !== undefined, leave };
  };
}
