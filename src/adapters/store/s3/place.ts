import { TwelveError } from "../../../core/errors.ts";
import { parseS3Reference } from "../../aws/s3-reference.ts";

/** Where a store is in S3. */
export interface Place {
  readonly bucket: string;
  /** Before every key: empty, or ending in a slash. */
  readonly prefix: string;
  /** For messages: `s3://bucket/prefix`. */
  readonly url: string;
}

/** A key has at most 1024 bytes, and a ref's name may take 512 of them. */
const longestPrefix = 400;
/** What every server and every tool takes in a key as it is. */
const segments = /^(?:(?!\.{1,2}\/)[A-Za-z0-9!_.*'()=~-]+\/)*$/;

/** `s3://bucket/prefix`, with or without a slash at its end. Fails with SERVICE_UNSUPPORTED. */
export function parsePlace(reference: string): Place {
  const { bucket, key } = parseS3Reference(reference, "SERVICE_UNSUPPORTED");
  const prefix = key === "" || key.endsWith("/") ? key : `${key}/`;
  const fix = "Write s3://bucket/prefix with letters, digits and -_.=~ in the prefix; region and endpoint come from AWS_REGION and AWS_ENDPOINT_URL_S3";
  if (!segments.test(prefix)) throw new TwelveError("SERVICE_UNSUPPORTED", `The store in s3://${bucket} has a prefix that not every server can keep`, { fix });
  if (prefix.length > longestPrefix) throw new TwelveError("SERVICE_UNSUPPORTED", `The store in s3://${bucket} has a prefix of ${prefix.length} characters, at most ${longestPrefix} are allowed`, { fix });
  return { bucket, prefix, url: `s3://${bucket}/${prefix}`.replace(/\/$/, "") };
}
