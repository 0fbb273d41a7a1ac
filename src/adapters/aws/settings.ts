import type { Environment } from "../../ports/context.ts";

/** What every AWS client is made with. What is undefined is left to the SDK's own search: profiles, web identity, roles. */
export interface AwsSettings {
  readonly region?: string;
  readonly endpoint?: string;
  readonly profile?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
}

/**
 * Reads the variables that every AWS tool reads. They are looked up here and not by the SDK because `env` may also hold
 * secrets that the application declares. `service` is the end of `AWS_ENDPOINT_URL_<service>`, such as S3.
 */
export function awsSettings(env: Environment, service: string): AwsSettings {
  const endpoint = env["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] === "true" ? undefined : env[`AWS_ENDPOINT_URL_${service}`] || env["AWS_ENDPOINT_URL"] || undefined;
  // Servers other than Amazon's mostly take any region, but a request has to be signed for one.
  const region = env["AWS_REGION"] || env["AWS_DEFAULT_REGION"] || (endpoint === undefined ? undefined : "us-east-1");
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken, AWS_PROFILE: profile } = env;
  const credentials = accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) } : undefined;
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(profile ? { profile } : {}),
    ...(credentials === undefined ? {} : { credentials }),
  };
}

/** A long command, and a fleet whose processes all start at once, are worth more patience than the three attempts of the SDK. */
const patientAttempts = 6;

/** How often a request is sent before its failure counts: AWS_MAX_ATTEMPTS, or six times. */
export function maxAttempts(env: Environment): number {
  return Number(env["AWS_MAX_ATTEMPTS"]) || patientAttempts;
}
