import { TwelveError } from "../../../core/errors.ts";

export interface S3Reference {
  readonly bucket: string;
  /** As it was written, neither decoded nor tidied: keys may hold `%`, `?`, `#` and `..`. */
  readonly key: string;
}

/** Fails with SOURCE_INVALID for anything else than `s3://bucket/key`. What may be a password is not repeated. */
export function parseReference(reference: string): S3Reference {
  const [, bucket = "", key = ""] = /^s3:\/\/([^/]*)\/?(.*)$/s.exec(reference) ?? [];
  if (bucket.includes("@")) {
    throw new TwelveError("SOURCE_INVALID", "The source s3:// has credentials in its URL", { fix: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, and write s3://bucket/prefix" });
  }
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/.test(bucket)) return { bucket, key };
  throw new TwelveError("SOURCE_INVALID", `The source ${reference} names no bucket. Write s3://bucket/prefix`);
}

export function urlOf({ bucket, key }: S3Reference): string {
  return `s3://${bucket}/${key}`;
}
