import { randomUUID } from "node:crypto";
import { chmod, open, rename, rm } from "node:fs/promises";
import type { S3 } from "@aws-sdk/client-s3";
import { type Digest, hexOf } from "../../../core/descriptor.ts";
import { TwelveError } from "../../../core/errors.ts";
import type { BlobStore } from "../../../ports/store.ts";
import { errorWithReason } from "../../aws/s3-answer.ts";
import { guard, reasonOf } from "../fs/failure.ts";
import { blobChunks } from "./download.ts";
import { isMissing, notS3, storeFailure } from "./failure.ts";
import { listKeys } from "./list.ts";
import type { Place } from "./place.ts";
import type { Content, Upload } from "./upload.ts";

export function blobKey({ prefix }: Place, digest: Digest): string {
  return `${prefix}blobs/sha256/${hexOf(digest)}`;
}

/** Each blob is one object under its digest. Objects appear whole or not at all, so nothing is ever torn. */
export function objectBlobs(client: S3, place: Place, upload: Upload): BlobStore {
  const chunksOf = (digest: Digest, size?: number): AsyncGenerator<Uint8Array, void> => blobChunks(client, place, { digest, key: blobKey(place, digest), size });

  return {
    async has(digest) {
      try {
        const { ETag: tag, ContentLength: size } = await client.headObject({ Bucket: place.bucket, Key: blobKey(place, digest) });
        if (tag === undefined || size === undefined) throw notS3(place);
        return true;
      } catch (error) {
        if (error instanceof TwelveError) throw error;
        if (isMissing(error)) return false;
        throw await headFailure(client, place, error);
      }
    },

    async read({ digest, size }) {
      const bytes = new Uint8Array(size);
      let done = 0;
      for await (const chunk of chunksOf(digest, size)) {
        bytes.set(chunk, done);
        done += chunk.length;
      }
      return bytes;
    },

    async write(bytes, mediaType) {
      return { mediaType, ...(await upload({ size: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) })) };
    },

    async writeFile(path, mediaType) {
      return guard(place.url, async () => {
        const stored = await withContent(path, upload);
        await rm(path, { force: true });
        return { mediaType, ...stored };
      });
    },

    readFile: (blob, path) => writeChunks(chunksOf(blob.digest, blob.size), path),

    async check(digest) {
      let size = 0;
      for await (const chunk of chunksOf(digest)) size += chunk.length;
      return size;
    },

    async *list() {
      for await (const name of listKeys(client, place, `${place.prefix}blobs/sha256/`)) if (/^[0-9a-f]{64}$/.test(name)) yield `sha256:${name}`;
    },
  };
}

async function headFailure(client: S3, place: Place, error: unknown): Promise<TwelveError> {
  const reason = await errorWithReason(client, place, error);
  return storeFailure(reason, place, reason === error ? "s3:GetObject" : "s3:ListBucket");
}

async function withContent<Result>(path: string, use: (content: Content) => Promise<Result>): Promise<Result> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    return await use({
      size,
      async read(offset, length) {
        const bytes = Buffer.allocUnsafe(length);
        for (let done = 0; done < length; ) {
          const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
          if (bytesRead === 0) throw new TwelveError("STORE_UNUSABLE", `${path} was cut while it was stored`, { fix: "Run the command again" });
          done += bytesRead;
        }
        return bytes;
      },
    });
  } finally {
    await file.close();
  }
}

/** Under another name first, so that `path` never holds half a file. Fails with FOLDER_UNUSABLE, or as the chunks do. */
async function writeChunks(chunks: AsyncGenerator<Uint8Array, void>, path: string): Promise<void> {
  const unusable = (cause: unknown): TwelveError => new TwelveError("FOLDER_UNUSABLE", `${path} cannot be written: ${reasonOf(cause)}`, { cause });
  const partial = `${path}.${randomUUID()}`;
  try {
    const file = await open(partial, "wx", 0o600);
    try {
      for await (const chunk of chunks) for (let done = 0; done < chunk.length; ) done += (await file.write(chunk, done)).bytesWritten;
    } finally {
      await file.close();
    }
    await chmod(partial, 0o444);
    await rename(partial, path);
  } catch (error) {
    throw error instanceof TwelveError ? error : unusable(error);
  } finally {
    await rm(partial, { force: true }).catch(() => {});
  }
}

