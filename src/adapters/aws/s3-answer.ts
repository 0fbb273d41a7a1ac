import type { S3 } from "@aws-sdk/client-s3";
import { TwelveError } from "../../core/errors.ts";
import { awsError } from "./failure.ts";

/** Refusals whose reason S3 gives in the answer's body. */
const reasoned: ReadonlySet<number | undefined> = new Set([400, 403, 429, 503]);

/**
 * The answer to HEAD has no body and so no reason; a list that fails for the same one says it. Gives the error of that list, or the
 * given one where the list does not fail or would say no more.
 */
export async function errorWithReason(client: S3, { bucket, prefix }: { readonly bucket: string; readonly prefix: string }, error: unknown): Promise<unknown> {
  if (!reasoned.has(awsError(error).status)) return error;
  return client.listObjectsV2({ Bucket: bucket, Prefix: prefix, MaxKeys: 1 }).then(() => error, (reason: unknown) => reason);
}

/** S3 names what it stored and says whether a list goes on; a proxy or a login page that answers 200 does neither. */
export function notS3(url: string): TwelveError {
  return new TwelveError("SERVICE_FAILED", `What answers for ${url} is not S3`, { fix: "Check AWS_ENDPOINT_URL_S3, and whether a proxy stands before it" });
}
