import type { Readable } from "node:stream";
import { TwelveError } from "../../core/errors.ts";
import { awsFailure } from "./failure.ts";

/** The bytes of an answer as they arrive. An abort ends them with the signal's reason; a cut answer with SERVICE_CUT. */
export async function* bodyChunks(body: Readable, what: string, signal?: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const stop = (): void => void body.destroy();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    for await (const chunk of body) {
      signal?.throwIfAborted();
      yield chunk as Uint8Array;
    }
    signal?.throwIfAborted();
  } catch (error) {
    signal?.throwIfAborted();
    throw awsFailure(error, what, "s3:GetObject", true);
  } finally {
    signal?.removeEventListener("abort", stop);
    // Also when the reader stops early: an answer that nobody reads would hold its connection.
    body.destroy();
  }
}

/** All bytes of an answer, at most `maxBytes`: a server may send more than it said. */
export async function bodyBytes(body: Readable, { what, maxBytes, expectedBytes, signal }: BodyLimits): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of bodyChunks(body, what, signal)) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw new TwelveError("SOURCE_INVALID", `${what} has more than ${maxBytes} bytes`);
    parts.push(chunk);
  }
  if (expectedBytes !== undefined && sizeBytes !== expectedBytes) {
    throw new TwelveError("SERVICE_CUT", `${what} broke off after ${sizeBytes} of ${expectedBytes} bytes`, { retry: { afterMs: null } });
  }
  return Buffer.concat(parts);
}

interface BodyLimits {
  readonly what: string;
  readonly maxBytes: number;
  readonly expectedBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
