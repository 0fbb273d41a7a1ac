import type { Environment } from "../../../ports/context.ts";
import type { Store } from "../../../ports/store.ts";
import { openS3, type S3Options } from "../../aws/s3.ts";
import { maxAttempts } from "../../aws/settings.ts";
import { signalOf } from "../../aws/signal.ts";
import { limitTo } from "../limit.ts";
import { type Run, runBlobs, runRefs } from "../run.ts";
import { blobKey, objectBlobs } from "./blobs.ts";
import { conditionCheck } from "./condition.ts";
import { notS3, storeFailure } from "./failure.ts";
import { parsePlace } from "./place.ts";
import { objectRefs } from "./refs.ts";
import { uploading } from "./upload.ts";

export interface S3StoreOptions extends S3Options {
  /** The size of the parts that a large blob is sent in. */
  readonly partBytes?: number;
}

/** The client has 50 connections; some are left for the parts of large blobs. */
const operationsAtOnce = 32;
/** Each holds a part in memory. */
const partsAtOnce = 8;

/**
 * A store in a bucket: `s3://bucket/prefix`. Any number of processes on any number of machines may use it at once; what decides
 * between them are conditional writes. Region, endpoint and credentials come from the environment, as for every AWS tool.
 */
export async function openStore(reference: string, { env }: { readonly env: Environment }, options: S3StoreOptions = {}): Promise<Store> {
  const place = parsePlace(reference);
  const client = await openS3(env, { attempts: maxAttempts(env), ...options });
  const run = limitTo(operationsAtOnce);
  const limit = limitTo(partsAtOnce);
  const checkConditions = conditionCheck(client, place);
  const upload = uploading({ client, place, keyOf: (digest) => blobKey(place, digest), limit, ...(options.partBytes === undefined ? {} : { partBytes: options.partBytes }) });
  const blobs = objectBlobs(client, place, upload);
  const refs = objectRefs(client, place, checkConditions);
  /** What is written is referred to soon: by then the check is done. Its failure is told to who writes a ref. */
  const runWrite: Run = (operation) => {
    checkConditions().catch(() => {});
    return run(operation);
  };
  return {
    url: place.url,
    blobs: runBlobs(blobs, run, runWrite),
    refs: runRefs(refs, run),
    async check(signal) {
      signal?.throwIfAborted();
      try {
        const { Contents: objects = [], IsTruncated: isCut } = await client.listObjectsV2({ Bucket: place.bucket, Prefix: place.prefix, MaxKeys: 1 }, signalOf(signal));
        if (isCut === undefined) throw notS3(place);
        return { version: null, detail: objects.length === 0 ? "empty" : "holds artifacts" };
      } catch (error) {
        signal?.throwIfAborted();
        throw storeFailure(error, place, "s3:ListBucket");
      }
    },
  };
}
