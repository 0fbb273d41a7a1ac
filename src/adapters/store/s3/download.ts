import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { GetObjectCommandOutput, S3 } from "@aws-sdk/client-s3";
import { type Descriptor, type Digest } from "../../../core/descriptor.ts";
import { TwelveError } from "../../../core/errors.ts";
import { bodyChunks } from "../../aws/s3-body.ts";
import { isMissing, isRefused, notS3, storeFailure } from "./failure.ts";
import type { Place } from "./place.ts";

/** How often in a row an answer may break off without having brought anything. */
const barrenAttempts = 3;

interface Wanted {
  readonly digest: Digest;
  readonly key: string;
  /** undefined where any size is right. */
  readonly size: Descriptor["size"] | undefined;
}

/**
 * The bytes of a blob as they arrive; what breaks off is taken up again where it stopped. Size and digest are compared
 * before the last chunk's successor is given, so who reads to the end has the right bytes. Fails with BLOB_NOT_FOUND,
 * BLOB_CORRUPT, STORE_UNUSABLE or the SERVICE_ codes.
 */
export async function* blobChunks(client: S3, place: Place, { digest, key, size }: Wanted): AsyncGenerator<Uint8Array, void> {
  const corrupt = (what: string): TwelveError => new TwelveError("BLOB_CORRUPT", `Blob ${digest} is damaged: s3://${place.bucket}/${key} ${what}`, {
    fix: "Restore an earlier version of the object, or delete it and make the artifact again",
  });
  const get = async (offset: number, etag: string | undefined): Promise<GetObjectCommandOutput> => {
    try {
      return await client.getObject({ Bucket: place.bucket, Key: key, ...(offset === 0 ? {} : { Range: `bytes=${offset}-`, IfMatch: etag }) });
    } catch (error) {
      if (isMissing(error)) throw new TwelveError("BLOB_NOT_FOUND", `Blob ${digest} is not in ${place.url}`);
      if (offset > 0 && isRefused(error)) throw new TwelveError("STORE_UNUSABLE", `s3://${place.bucket}/${key} was replaced while it was read`, { cause: error, fix: "Run the command again" });
      throw storeFailure(error, place, "s3:GetObject");
    }
  };
  const hash = createHash("sha256");
  let done = 0;
  let etag: string | undefined;
  for (let barren = 0; ; ) {
    const { Body: body, ContentLength: length, ETag: tag } = await get(done, etag);
    if (tag === undefined) {
      (body as Readable).destroy();
      throw notS3(place);
    }
    const total = length === undefined ? undefined : done + length;
    if (size !== undefined && total !== undefined && total !== size) {
      (body as Readable).destroy();
      throw corrupt(`has ${total} bytes, expected ${size}`);
    }
    etag = tag;
    const before = done;
    try {
      for await (const chunk of bodyChunks(body as Readable, `The store ${place.url}`)) {
        hash.update(chunk);
        done += chunk.length;
        if (size !== undefined && done > size) throw corrupt(`has more than ${size} bytes`);
        yield chunk;
      }
      if (total !== undefined && done < total) throw new TwelveError("SERVICE_CUT", `The store ${place.url} broke off after ${done} of ${total} bytes`, { retry: { afterMs: null } });
      break;
    } catch (error) {
      barren = done > before ? 0 : barren + 1;
      if (!(error instanceof TwelveError) || error.retry === undefined || barren === barrenAttempts) throw storeFailure(error, place, "s3:GetObject");
    }
  }
  if (size !== undefined && done !== size) throw corrupt(`has ${done} bytes, expected ${size}`);
  const found = `sha256:${hash.digest("hex")}`;
  if (found !== digest) throw corrupt(`hashes to ${found}`);
}
