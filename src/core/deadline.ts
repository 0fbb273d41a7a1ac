import { unlessAborted } from "./abort.ts";
import { TwelveError } from "./errors.ts";

interface Deadline {
  readonly limitMs: number;
  /** Who is waited for, without credentials, such as `tei+http://127.0.0.1:8080`. */
  readonly who: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What the work gives, unless it takes too long: then it fails with SERVICE_TIMEOUT. The work is told by its signal; work
 * that does not listen is left to itself, and nobody waits for it.
 */
export async function inTime<Result>(work: (signal: AbortSignal) => Promise<Result>, { limitMs, who, signal }: Deadline): Promise<Result> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  const timer = setTimeout(() => controller.abort(new TwelveError("SERVICE_TIMEOUT", `${who} did not answer within ${limitMs / 1000} s`, { retry: { afterMs: null }, fix: "Check that it is up and can be reached from here" })), limitMs);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await unlessAborted(() => work(controller.signal), controller.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
