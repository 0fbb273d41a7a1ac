import type { S3, S3ClientConfig } from "@aws-sdk/client-s3";
import type { Environment } from "../../ports/context.ts";
import { awsSettings } from "./settings.ts";

export interface S3Options {
  /** How long nothing may arrive before a request or an answer counts as broken. */
  readonly idleMs?: number;
  /** How often a request is sent before its failure counts; three times, or AWS_MAX_ATTEMPTS, where it is not given. */
  readonly attempts?: number;
}

const connectionMs = 5000;
const defaultIdleMs = 30_000;

/**
 * A client of S3 or of a server that speaks its language (`AWS_ENDPOINT_URL_S3`). Any number of requests may be under
 * way; the SDK repeats those that a moment's trouble broke.
 */
export async function openS3(env: Environment, { idleMs = defaultIdleMs, attempts }: S3Options = {}): Promise<S3> {
  const { default: sdk } = await import("@aws-sdk/client-s3");
  const settings = awsSettings(env, "S3");
  const config: S3ClientConfig = {
    ...settings,
    // Only Amazon gives every bucket a host name of its own.
    forcePathStyle: settings.endpoint !== undefined,
    followRegionRedirects: true,
    ...(attempts === undefined ? {} : { maxAttempts: attempts }),
    // Checksums that nobody asked for are stored as data by some servers, and fail on parts of objects.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: connectionMs, socketTimeout: idleMs },
  };
  return new sdk.S3(config);
}
