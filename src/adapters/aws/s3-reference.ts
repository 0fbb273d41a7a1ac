import { TwelveError } from "../../core/errors.ts";

export interface S3Reference {
  readonly bucket: string;
  /** As it was written, neither decoded nor tidied: keys may hold `%`, `?`, `#` and `..`. */
  readonly key: string;
}

/** Fails with the caller's code for anything else than `s3://bucket/key`. What may be a password is not repeated. */
export function parseS3Reference(reference: string, code: "SOURCE_INVALID" | "SERVICE_UNSUPPORTED"): S3Reference {
  const [, bucket = "", key = ""] = /^s3:\/\/([^/]*)\/?(.*)$/is.exec(reference) ?? [];
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/.test(bucket)) return { bucket, key };
  // A key may hold an @; where there is no bucket, whatever stands before the last one may be a password.
  if (reference.includes("@")) {
    throw new TwelveError(code, "An s3:// URL has credentials in it, or names no bucket", { fix: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, and write s3://bucket/prefix" });
  }
  const shown = /^[^:]*:[^:]*$/.test(reference) ? reference : "An s3:// URL";
  throw new TwelveError(code, `${shown} names no bucket`, { fix: "Write s3://bucket/prefix; the name of a bucket has at least three characters" });
}

export function urlOf({ bucket, key }: S3Reference): string {
  return `s3://${bucket}/${key}`;
}
