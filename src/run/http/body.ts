import type { IncomingMessage } from "node:http";
import { TwelveError } from "../../core/errors.ts";

interface BodyOptions {
  readonly limitBytes: number;
  /** Ends the reading with its reason. */
  readonly signal: AbortSignal;
}

/** A request's body as text. Fails with REQUEST_TOO_LARGE as soon as it is known to be, and with the signal's reason. */
export async function readBody(request: IncomingMessage, { limitBytes, signal }: BodyOptions): Promise<string> {
  if (Number(request.headers["content-length"] ?? 0) > limitBytes) throw tooLarge(limitBytes);
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  const onData = (part: Buffer): void => {
    sizeBytes += part.length;
    if (sizeBytes > limitBytes) reject(tooLarge(limitBytes));
    else parts.push(part);
  };
  const onAbort = (): void => reject(signal.reason);
  request.on("data", onData).on("end", resolve).on("error", reject);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await promise;
  } finally {
    request.off("data", onData).off("end", resolve).off("error", reject);
    signal.removeEventListener("abort", onAbort);
  }
  const [only] = parts;
  return (parts.length === 1 && only !== undefined ? only : Buffer.concat(parts)).toString("utf8");
}

function tooLarge(limitBytes: number): TwelveError {
  return new TwelveError("REQUEST_TOO_LARGE", `The body is larger than ${Math.round((limitBytes / 1024 / 1024) * 100) / 100} MiB`);
}
