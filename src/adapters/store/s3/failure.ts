import { TwelveError } from "../../../core/errors.ts";
import { awsError, awsFailure } from "../../aws/failure.ts";
import type { Place } from "./place.ts";

export type Action = "s3:GetObject" | "s3:PutObject" | "s3:ListBucket";

/** A failure of the store's service, with the permission that was needed. */
export function storeFailure(cause: unknown, place: Place, action: Action): TwelveError {
  const { name } = awsError(cause);
  if (name === "NoSuchBucket") {
    return new TwelveError("SERVICE_NOT_FOUND", `There is no bucket ${place.bucket} (NoSuchBucket)`, { cause, fix: "Create the bucket, or correct TWELVE_STORE; AWS_ENDPOINT_URL_S3 and the credentials decide where it is looked for" });
  }
  if (name === "InvalidObjectState") {
    return new TwelveError("STORE_UNUSABLE", `An object of the store ${place.url} is archived (InvalidObjectState)`, { cause, fix: "Restore it, and keep the store's objects out of lifecycle rules that archive or delete them" });
  }
  return awsFailure(cause, `The store ${place.url}`, permissionFor(action, place));
}

function permissionFor(action: Action, { bucket, prefix }: Place): string {
  const list = `s3:ListBucket on arn:aws:s3:::${bucket}`;
  if (action === "s3:ListBucket") return list;
  const objects = `${action} on arn:aws:s3:::${bucket}/${prefix}*`;
  // Without the right to list, S3 refuses what is missing instead of saying that it is.
  return action === "s3:GetObject" ? `${objects} and ${list}` : objects;
}

/** S3 names what it stored and says whether a list goes on; a proxy or a login page that answers 200 does neither. */
export function notS3({ url }: Place): TwelveError {
  return new TwelveError("SERVICE_FAILED", `What answers for ${url} is not S3`, { fix: "Check AWS_ENDPOINT_URL_S3, and whether a proxy stands before it" });
}

/** Whether there is no such object; a missing bucket is another thing. */
export function isMissing(error: unknown): boolean {
  const { name, status } = awsError(error);
  return name === "NoSuchKey" || (status === 404 && name !== "NoSuchBucket");
}

/** Whether a condition (`If-None-Match`, `If-Match`) did not hold. */
export function isRefused(error: unknown): boolean {
  return awsError(error).status === 412;
}

/** Whether another writer of the same key was at work at this moment: the request decided nothing. */
export function isBusy(error: unknown): boolean {
  return awsError(error).status === 409;
}

/** Whether the SDK sent the request more than once: then an earlier sending may have had its effect. */
export function isRepeated(error: unknown): boolean {
  const metadata = error instanceof Error && "$metadata" in error ? (error.$metadata as { readonly attempts?: number } | undefined) : undefined;
  return (metadata?.attempts ?? 1) > 1;
}
