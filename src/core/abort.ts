/** The work's result, unless the signal is aborted first: then its reason. Work that does not listen to the signal is left to itself, and nobody waits for it. */
export async function unlessAborted<Result>(work: () => Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return work();
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

export interface JoinedSignal {
  readonly signal: AbortSignal;
  /** The others hold it no longer; it is not aborted any more. */
  readonly leave: () => void;
}

/**
 * Aborted with the first of them, for its reason. Instead of `AbortSignal.any`: Node's loses an abort whose source was collected (nodejs/node#65995), and
 * keeps what it made for as long as a source lives (nodejs/node#64476).
 */
export function eitherOf(...given: readonly (AbortSignal | undefined)[]): JoinedSignal {
  const controller = new AbortController();
  const sources = given.filter((signal) => signal !== undefined).map((signal) => ({ signal, onAbort: (): void => {
    leave();
    controller.abort(signal.reason);
  } }));
  function leave(): void {
    for (const { signal, onAbort } of sources) signal.removeEventListener("abort", onAbort);
  }
  for (const { signal, onAbort } of sources) signal.addEventListener("abort", onAbort);
  sources.find(({ signal }) => signal.aborted)?.onAbort();
  return { signal: controller.signal, leave };
}

export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
