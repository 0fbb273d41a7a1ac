import type { Readable } from "node:stream";
import type { GetObjectCommandOutput, S3 } from "@aws-sdk/client-s3";
import { TwelveError } from "../../../core/errors.ts";
import { bodyBytes, bodyChunks } from "../../aws/s3-body.ts";
import { s3Failure } from "./failure.ts";
import { type S3Reference, urlOf } from "../../aws/s3-reference.ts";
import { signalOf } from "../../aws/signal.ts";

export interface Part {
  readonly offset: number;
  /** To the end where it is not given. */
  readonly sizeBytes?: number;
}

interface ReadOptions {
  readonly maxBytes: number;
  /** Only these bytes. */
  readonly part?: Part;
  /** Refuses an object that is no longer the one with this tag. */
  readonly etag?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const attempts = 3;

/** An object's bytes. The SDK repeats a request that fails; an answer that breaks off in the middle is asked for again here. */
export async function readObject(client: S3, reference: S3Reference, options: ReadOptions): Promise<Uint8Array> {
  for (let attempt = 1; ; attempt += 1) {
    const { Body: body, ContentLength: expectedBytes } = await getObject(client, reference, options);
    try {
      return await bodyBytes(body as Readable, { what: urlOf(reference), maxBytes: options.maxBytes, expectedBytes, signal: options.signal });
    } catch (error) {
      if (!canRetry(error, attempt)) throw error;
    }
  }
}

/** An object's bytes as they arrive; what breaks off is taken up again where it stopped. */
export async function* streamObject(client: S3, reference: S3Reference, options: Omit<ReadOptions, "maxBytes" | "part">): AsyncGenerator<Uint8Array, void> {
  let offset = 0;
  for (let attempt = 1; ; attempt += 1) {
    const { Body: body } = await getObject(client, reference, offset === 0 ? options : { ...options, part: { offset } });
    try {
      for await (const chunk of bodyChunks(body as Readable, urlOf(reference), options.signal)) {
        offset += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      if (!canRetry(error, attempt)) throw error;
    }
  }
}

function canRetry(error: unknown, attempt: number): boolean {
  return error instanceof TwelveError && error.retry !== undefined && attempt < attempts;
}

function rangeOf({ offset, sizeBytes }: Part): string {
  return `bytes=${offset}-${sizeBytes === undefined ? "" : offset + sizeBytes - 1}`;
}

async function getObject(client: S3, reference: S3Reference, { part, etag, signal }: Omit<ReadOptions, "maxBytes">): Promise<GetObjectCommandOutput> {
  signal?.throwIfAborted();
  const request = {
    Bucket: reference.bucket,
    Key: reference.key,
    ...(etag === undefined ? {} : { IfMatch: etag }),
    ...(part === undefined ? {} : { Range: rangeOf(part) }),
  };
  try {
    return await client.getObject(request, signalOf(signal));
  } catch (error) {
    signal?.throwIfAborted();
    throw s3Failure(error, urlOf(reference), "s3:GetObject");
  }
}
