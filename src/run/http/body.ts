import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { TwelveError } from "../../core/errors.ts";

interface BodyOptions {
  readonly limitBytes: number;
  /** Ends the reading with its reason. */
  readonly signal: AbortSignal;
}

/** A request's body as text. Fails with REQUEST_INVALID where it is none, with REQUEST_TOO_LARGE as soon as it is known to be, and with the signal's reason. */
export function readBody(request: IncomingMessage, { limitBytes, signal }: BodyOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers["content-length"] ?? 0) > limitBytes) throw tooLarge(limitBytes);
    signal.throwIfAborted();
    const parts: Buffer[] = [];
    let sizeBytes = 0;
    function onData(part: Buffer): void {
      sizeBytes += part.length;
      if (sizeBytes > limitBytes) fail(tooLarge(limitBytes));
      else parts.push(part);
    }
    function onEnd(): void {
      signal.removeEventListener("abort", onAbort);
      const [only] = parts;
      const body = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
      // Decoded all the same, somebody's words would be others, and nobody would know.
      if (isUtf8(body)) resolve(body.toString("utf8"));
      else reject(new TwelveError("REQUEST_INVALID", "The body is not UTF-8", { fix: "Encode the JSON as UTF-8, and send it without compression" }));
    }
    function onAbort(): void {
      fail(signal.reason as Error);
    }
    function fail(error: Error): void {
      request.off("data", onData).off("end", onEnd).off("error", fail);
      signal.removeEventListener("abort", onAbort);
      reject(error);
    }
    request.on("data", onData).on("end", onEnd).on("error", fail);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

function tooLarge(limitBytes: number): TwelveError {
  return new TwelveError("REQUEST_TOO_LARGE", `The body is larger than ${Math.round((limitBytes / 1024 / 1024) * 100) / 100} MiB`);
}
