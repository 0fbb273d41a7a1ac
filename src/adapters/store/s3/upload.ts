import { createHash } from "node:crypto";
import type { S3 } from "@aws-sdk/client-s3";
import { type Digest, digestOf, hexOf } from "../../../core/descriptor.ts";
import { isBusy, isMissing, isRefused, notS3, storeFailure } from "./failure.ts";
import { waitShortly } from "./wait.ts";
import type { Place } from "./place.ts";

/** Bytes to store, in memory or in a file that nobody changes. */
export interface Content {
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Fails with STORE_UNUSABLE or the SERVICE_ codes. */
export type Upload = (content: Content) => Promise<{ readonly digest: Digest; readonly size: number }>;

interface UploadOptions {
  readonly client: S3;
  readonly place: Place;
  readonly keyOf: (digest: Digest) => string;
  readonly partBytes?: number;
  /** Runs what holds up to `partBytes` in memory. */
  readonly limit: <Result>(operation: () => Promise<Result>) => Promise<Result>;
}

/** S3 takes parts of 5 MiB and more, and 10,000 of them. */
const defaultPartBytes = 8 * 1024 * 1024;
const mostParts = 10_000;
/** Sending so much costs no more than asking first whether it is needed. */
const smallBytes = 256 * 1024;

/**
 * Stores blobs under their digest. S3 compares what arrives with the checksum it is sent, and keeps the checksum: a blob that
 * is there already is known to be whole without being read, and is not sent again. Where a server keeps none, it is sent again.
 */
export function uploading({ client, place, keyOf, partBytes: leastPartBytes = defaultPartBytes, limit }: UploadOptions): Upload {
  const at = (digest: Digest): { readonly Bucket: string; readonly Key: string } => ({ Bucket: place.bucket, Key: keyOf(digest) });

  /** `checksum` as the server has it of its own computing; of a blob in parts it is the one of the parts' checksums. */
  const isWhole = async (digest: Digest, size: number, checksum: string): Promise<boolean> => {
    try {
      const head = await client.headObject({ ...at(digest), ChecksumMode: "ENABLED" });
      return head.ContentLength === size && head.ChecksumSHA256?.replace(/-\d+$/, "") === checksum;
    } catch (error) {
      if (isMissing(error)) return false;
      throw storeFailure(error, place, "s3:GetObject");
    }
  };

  const put = async (digest: Digest, bytes: Uint8Array, condition: { readonly IfNoneMatch?: "*" } = {}): Promise<boolean> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { ETag } = await client.putObject({ ...at(digest), Body: bytes, ContentLength: bytes.length, ...checksumOf(digest), ...condition });
        if (ETag === undefined) throw notS3(place);
        return true;
      } catch (error) {
        if (condition.IfNoneMatch !== undefined && isRefused(error)) return false;
        if (!isBusy(error) || !(await waitShortly(attempt))) throw storeFailure(error, place, "s3:PutObject");
      }
    }
  };

  const putWhole = async (bytes: Uint8Array): Promise<Digest> => {
    const digest = digestOf(bytes);
    const isSmall = bytes.length <= smallBytes;
    if (isSmall && (await put(digest, bytes, { IfNoneMatch: "*" }))) return digest;
    if (!(await isWhole(digest, bytes.length, base64Of(digest)))) await put(digest, bytes);
    return digest;
  };

  const putParts = async (content: Content): Promise<Digest> => {
    const parts = partsOf(content.size, leastPartBytes);
    const { digest, sums, checksum } = await limit(() => sumParts(content, parts));
    if (await isWhole(digest, content.size, checksum)) return digest;
    try {
      const { UploadId } = await client.createMultipartUpload({ ...at(digest), ChecksumAlgorithm: "SHA256" });
      const upload = { ...at(digest), UploadId };
      const failed = new AbortController();
      try {
        const sending = parts.map(({ offset, length }, index) => limit(async () => {
          failed.signal.throwIfAborted();
          const sum = { PartNumber: index + 1, ChecksumSHA256: sums[index] };
          const body = { Body: await content.read(offset, length), ContentLength: length, ChecksumAlgorithm: "SHA256" as const };
          const { ETag } = await client.uploadPart({ ...upload, ...sum, ...body }, { abortSignal: failed.signal });
          return { ...sum, ETag };
        }));
        for (const part of sending) part.catch((error: unknown) => failed.abort(error));
        // All are waited for: when the upload is aborted, no part of it may still be on its way.
        await Promise.allSettled(sending);
        failed.signal.throwIfAborted();
        await client.completeMultipartUpload({ ...upload, MultipartUpload: { Parts: await Promise.all(sending) } });
      } catch (error) {
        await client.abortMultipartUpload(upload).catch(() => {});
        // A completion that was sent twice finds nothing to complete, because the first one did it.
        if (!isMissing(error) || !(await isWhole(digest, content.size, checksum))) throw error;
      }
    } catch (error) {
      throw storeFailure(error, place, "s3:PutObject");
    }
    return digest;
  };

  return async (content) => {
    const { size } = content;
    if (size > leastPartBytes) return { digest: await putParts(content), size };
    if (size <= smallBytes) return { digest: await putWhole(await content.read(0, size)), size };
    return { digest: await limit(async () => putWhole(await content.read(0, size))), size };
  };
}

interface Part {
  readonly offset: number;
  readonly length: number;
}

/** Equal sizes give equal parts, so that the checksum of the parts can be compared. */
function partsOf(size: number, leastPartBytes: number): readonly Part[] {
  const partBytes = Math.max(leastPartBytes, Math.ceil(size / mostParts));
  return Array.from({ length: Math.ceil(size / partBytes) }, (_, index) => ({ offset: index * partBytes, length: Math.min(partBytes, size - index * partBytes) }));
}

interface Sums {
  readonly digest: Digest;
  /** Of each part, in base64. */
  readonly sums: readonly string[];
  /** What S3 keeps of an object in parts. */
  readonly checksum: string;
}

async function sumParts(content: Content, parts: readonly Part[]): Promise<Sums> {
  const whole = createHash("sha256");
  const sums: Buffer[] = [];
  for (const { offset, length } of parts) {
    const bytes = await content.read(offset, length);
    whole.update(bytes);
    sums.push(createHash("sha256").update(bytes).digest());
  }
  return { digest: `sha256:${whole.digest("hex")}`, sums: sums.map((sum) => sum.toString("base64")), checksum: createHash("sha256").update(Buffer.concat(sums)).digest("base64") };
}

/** As S3 wants it; the server refuses bytes that do not match. */
export function checksumOf(digest: Digest): { readonly ChecksumAlgorithm: "SHA256"; readonly ChecksumSHA256: string } {
  return { ChecksumAlgorithm: "SHA256", ChecksumSHA256: base64Of(digest) };
}

function base64Of(digest: Digest): string {
  return Buffer.from(hexOf(digest), "hex").toString("base64");
}
