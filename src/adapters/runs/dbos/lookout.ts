import { wait } from "../../../core/patience.ts";

export interface Standing {
  readonly position: number;
  readonly isOver: boolean;
}

/** Returns when a run has told more than that, is over, or gone. Fails as the reading does. */
export type Lookout = (run: string, position: number, signal: AbortSignal) => Promise<void>;

interface Watcher {
  readonly run: string;
  readonly position: number;
  readonly settle: (failure?: unknown) => void;
}

/** How often somebody looks for news. */
const lookMs = 250;

/** However many follow runs in this process, one looks for all of them. */
export function openLookout(read: (runs: readonly string[]) => Promise<ReadonlyMap<string, Standing>>, everyMs = lookMs): Lookout {
  const watchers = new Set<Watcher>();
  let isLooking = false;

  async function keepLooking(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    while (watchers.size > 0) {
      await wait(everyMs);
      const asked = [...watchers];
      if (asked.length === 0) break;
      try {
        const standings = await read([...new Set(asked.map(({ run }) => run))]);
        for (const { run, position, settle } of asked) {
          const standing = standings.get(run);
          if (standing === undefined || standing.isOver || standing.position > position) settle();
        }
      } catch (error) {
        for (const { settle } of asked) settle(error);
      }
    }
    isLooking = false;
  }

  return async (run, position, signal) => {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => watcher.settle(signal.reason);
    const watcher: Watcher = {
      run,
      position,
      settle(failure) {
        watchers.delete(watcher);
        signal.removeEventListener("abort", leave);
        if (failure === undefined) resolve();
        else reject(failure);
      },
    };
    watchers.add(watcher);
    signal.addEventListener("abort", leave, { once: true });
    void keepLooking();
    return promise;
  };
}
