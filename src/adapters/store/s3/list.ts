import type { S3 } from "@aws-sdk/client-s3";
import { TwelveError } from "../../../core/errors.ts";
import { notS3, storeFailure } from "./failure.ts";
import type { Place } from "./place.ts";

/** Every key below `prefix`, page by page, without what all of them begin with. */
export async function* listKeys(client: S3, place: Place, prefix: string): AsyncGenerator<string, void> {
  let token: string | undefined;
  do {
    const { Contents: objects = [], IsTruncated: isCut, NextContinuationToken: next } = await client
      .listObjectsV2({ Bucket: place.bucket, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }) })
      .catch((error: unknown) => {
        throw storeFailure(error, place, "s3:ListBucket");
      });
    if (isCut === undefined) throw notS3(place);
    for (const { Key: key } of objects) if (key?.startsWith(prefix) === true) yield key.slice(prefix.length);
    // A page may be short or empty, and still not be the last.
    if (isCut && (next === undefined || next === token)) throw new TwelveError("SERVICE_FAILED", `The store ${place.url} answers with the same page of its list again and again`);
    token = isCut ? next : undefined;
  } while (token !== undefined);
}
