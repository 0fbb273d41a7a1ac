interface WatchOptions {
  /** The caller's; aborted, it ends the exchange with its reason. */
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  /** What the exchange ends with when the time is up; made only then, for an error takes as long to make as a short answer to read. */
  readonly tooSlow: () => Error;
}

/** An exchange that is ended by its caller, or by the clock. */
export interface Watch {
  readonly signal: AbortSignal;
  /** Something came: the time begins anew. */
  restart(): void;
  /** It is not the service that is waited for. */
  pause(): void;
  close(): void;
}

export function startWatch({ signal, timeoutMs, tooSlow }: WatchOptions): Watch {
  const controller = new AbortController();
  let isPaused = false;
  const onAbort = (): void => controller.abort(signal?.reason);
  const timer = setTimeout(() => {
    if (!isPaused) controller.abort(tooSlow());
  }, timeoutMs);
  signal?.addEventListener("abort", onAbort, { once: true });
  return {
    signal: controller.signal,
    restart() {
      isPaused = false;
      // One timer for the whole exchange: a stream has thousands of parts.
      timer.refresh();
    },
    pause: () => void (isPaused = true),
    close() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    },
  };
}
