import { unlessAborted } from "../../core/abort.ts";

/** For whoever does listen to the signal, to end in good order. */
const graceMs = 1000;

/** The same parts, but what goes on although its signal was aborted keeps nobody waiting: it is left to itself soon after. */
export async function* unlessStuck<Part>(parts: AsyncIterable<Part>, signal: AbortSignal): AsyncGenerator<Part> {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => void (timer = setTimeout(() => late.abort(signal.reason), graceMs));
  signal.addEventListener("abort", onAbort, { once: true });
  const rest = parts[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await unlessAborted(() => rest.next(), late.signal);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    const ended = rest.return?.().catch(() => {});
    if (!late.signal.aborted) await ended;
  }
}
