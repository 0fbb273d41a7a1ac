import { TwelveError } from "../../core/errors.ts";
import type { Environment } from "../../ports/context.ts";
import { awsError, awsFailure } from "../aws/failure.ts";
import { type AwsSettings, awsSettings, maxAttempts } from "../aws/settings.ts";

export interface AwsConfigOptions {
  /** How long nothing may arrive before a request counts as broken. */
  readonly idleMs?: number;
  readonly attempts?: number;
}

const connectionMs = 5000;
const defaultIdleMs = 15_000;
const keyTrouble = /^(?:InvalidKeyId|KMS\w*|DecryptionFailure|KeyUnavailableException)$/;

type ClientSettings = AwsSettings & { readonly maxAttempts: number; readonly requestHandler: { readonly connectionTimeout: number; readonly socketTimeout: number } };

export function clientSettings(env: Environment, service: string, { idleMs = defaultIdleMs, attempts = maxAttempts(env) }: AwsConfigOptions): ClientSettings {
  return { ...awsSettings(env, service), maxAttempts: attempts, requestHandler: { connectionTimeout: connectionMs, socketTimeout: idleMs } };
}

/** What a configuration service's error means. An answer that cannot be parsed is not quoted: it may be full of secrets. */
export function configFailure(cause: unknown, reference: string, permission: string): TwelveError {
  const { name, message, code } = awsError(cause);
  const isUnread = cause instanceof SyntaxError || /deserialization error/i.test(cause instanceof Error ? cause.message : "");
  // An answer that broke off cannot be read either, and is no fault of the address.
  if (isUnread) return code === undefined ? garbled(reference) : awsFailure(cause, reference, permission, true);
  if (keyTrouble.test(name)) {
    return new TwelveError("SERVICE_DENIED", `${reference} cannot be decrypted with these AWS credentials (${name}: ${message})`, { cause, fix: "Allow kms:Decrypt on the KMS key that it is encrypted with, and check that the key is enabled" });
  }
  return awsFailure(cause, reference, permission);
}

export function garbled(reference: string): TwelveError {
  return new TwelveError("SERVICE_FAILED", `${reference} answered something that cannot be read`, { fix: "Check that AWS_ENDPOINT_URL is the service's, and not that of a proxy before it" });
}

/** A version that an activation names, and that its place has not kept. */
export function goneFailure(source: string, cause?: unknown): TwelveError {
  return new TwelveError("CONFIG_INVALID", `${source} is gone, and the active release names it`, { cause, fix: "Release, or promote again: that records the present version" });
}
