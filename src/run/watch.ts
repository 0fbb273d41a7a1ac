interface Watching {
  readonly signal: AbortSignal;
  readonly everyMs?: number;
  readonly soonMs?: number;
}

/** How often a queue is asked how much waits in it. */
export const depthEveryMs = 1000;
const usualEveryMs = 10_000;
const usualSoonMs = 1000;
/** So often soon after each other: what was seen a moment before the failure is remembered for some seconds. */
const doubtfulLooks = 8;

/** Looks at once and every so often until the signal ends it, without keeping the process alive; for a while more often after a failure was met. */
export function keepLooking(look: () => Promise<unknown>, { signal, everyMs = usualEveryMs, soonMs = usualSoonMs }: Watching): { readonly onFailure: () => void } {
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;
  let doubtful = 0;

  function next(): void {
    clearTimeout(timer);
    if (!signal.aborted) timer = setTimeout(() => void lookNow(), doubtful > 0 ? soonMs : everyMs).unref();
  }

  async function lookNow(): Promise<void> {
    isLooking = true;
    doubtful = Math.max(0, doubtful - 1);
    // What a look finds is told by whoever looks.
    await look().catch(() => {});
    isLooking = false;
    next();
  }

  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  void lookNow();
  return {
    onFailure() {
      const isHurried = doubtful > 0;
      doubtful = doubtfulLooks;
      if (!isHurried && !isLooking) next();
    },
  };
}
