import type { IncomingMessage } from "node:http";
import { TwelveError } from "../../core/errors.ts";

interface BodyOptions {
  readonly limitBytes: number;
  /** Ends the reading with its reason. */
  readonly signal: AbortSignal;
}

/** A request's body as text. Fails with REQUEST_TOO_LARGE as soon as it is known to be, and with the signal's reason. */
export function readBody(request: IncomingMessage, { limitBytes, signal }: BodyOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers["content-length"] ?? 0) > limitBytes) return reject(tooLarge(limitBytes));
    const parts: Buffer[] = [];
    let sizeBytes = 0;
    const onData = (part: Buffer): void => {
      sizeBytes += part.length;
      if (sizeBytes > limitBytes) return finish(() => reject(tooLarge(limitBytes)));
      parts.push(part);
    };
    const onEnd = (): void => finish(() => resolve((parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)).toString("utf8")));
    const onError = (error: Error): void => finish(() => reject(error));
    const onAbort = (): void => finish(() => reject(signal.reason));
    const finish = (settle: () => void): void => {
      request.off("data", onData).off("end", onEnd).off("error", onError);
      signal.removeEventListener("abort", onAbort);
      settle();
    };
    request.on("data", onData).on("end", onEnd).on("error", onError);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

function tooLarge(limitBytes: number): TwelveError {
  return new TwelveError("REQUEST_TOO_LARGE", `The body is larger than ${Math.round((limitBytes / 1024 / 1024) * 100) / 100} MiB`);
}
