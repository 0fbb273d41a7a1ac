import type { ListObjectsV2CommandOutput, S3, _Object } from "@aws-sdk/client-s3";
import { TwelveError } from "../../../core/errors.ts";
import { s3Failure } from "./failure.ts";
import { type S3Reference, urlOf } from "../../aws/s3-reference.ts";
import { signalOf } from "../../aws/signal.ts";

/** An object of a bucket, as far as listing tells. */
export interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string | undefined;
  /** Why it cannot be read now. */
  readonly reason: string | undefined;
}

const archives = new Set(["GLACIER", "DEEP_ARCHIVE"]);

/** The object with exactly this key. Undefined where there is none. */
export async function findObject(client: S3, reference: S3Reference, signal?: AbortSignal): Promise<ListedObject | undefined> {
  // Not HeadObject: its answers have no body, so a missing bucket and a missing key look alike. A key comes before all that it begins.
  const { Contents: [first] = [] } = await listPage(client, reference, { most: 1, signal });
  const found = first === undefined ? undefined : listedObject(first);
  return found?.key === reference.key ? found : undefined;
}

/** Every object whose key begins with the prefix, page by page; fails with SOURCE_INVALID when a prefix has none. */
export async function* listObjects(client: S3, prefix: S3Reference, signal?: AbortSignal): AsyncGenerator<ListedObject, void> {
  let isEmpty = true;
  let token: string | undefined;
  do {
    signal?.throwIfAborted();
    const page = await listPage(client, prefix, { token, signal });
    for (const item of page.Contents ?? []) {
      signal?.throwIfAborted();
      isEmpty = false;
      yield listedObject(item);
    }
    const next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    if (next !== undefined && next === token) throw new TwelveError("SERVICE_FAILED", `s3://${prefix.bucket} answers with the same page of its list again and again`);
    token = next;
  } while (token !== undefined);
  if (isEmpty && prefix.key !== "") throw new TwelveError("SOURCE_INVALID", `There is no object under ${urlOf(prefix)}`);
}

interface PageRequest {
  readonly most?: number;
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

async function listPage(client: S3, { bucket, key }: S3Reference, { most, token, signal }: PageRequest): Promise<ListObjectsV2CommandOutput> {
  signal?.throwIfAborted();
  const request = {
    Bucket: bucket,
    Prefix: key,
    // XML cannot hold every character that a key may have.
    EncodingType: "url" as const,
    OptionalObjectAttributes: ["RestoreStatus" as const],
    ...(most === undefined ? {} : { MaxKeys: most }),
    ...(token === undefined ? {} : { ContinuationToken: token }),
  };
  try {
    const page = await client.listObjectsV2(request, signalOf(signal));
    return page.EncodingType === "url" ? { ...page, Contents: (page.Contents ?? []).map((item) => ({ ...item, Key: decodeKey(item.Key ?? "") })) } : page;
  } catch (error) {
    signal?.throwIfAborted();
    throw s3Failure(error, `s3://${bucket}`, "s3:ListBucket");
  }
}

function listedObject({ Key: key = "", Size: sizeBytes = 0, ETag: etag, StorageClass: storage = "STANDARD", RestoreStatus: restored }: _Object): ListedObject {
  const isArchived = archives.has(storage) && (restored === undefined || restored.IsRestoreInProgress === true);
  return { key, sizeBytes, etag, reason: isArchived ? `is archived in ${storage}; it is read once it has been restored` : undefined };
}

function decodeKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll("+", " "));
  } catch {
    // A server that says it encodes and does not.
    return encoded;
  }
}
