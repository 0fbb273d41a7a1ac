import { type FailureCode, TwelveError } from "../../core/errors.ts";
import { awsError, credentialsFailure } from "./failure.ts";
import { type AwsError, meaningOf } from "./meaning.ts";

interface Asked {
  /** Such as `bedrock:amazon.titan-embed-text-v2:0`. */
  readonly name: string;
  readonly url: string;
  /** A part of the answer had come. */
  readonly hasBegun?: boolean;
  /** What makes the credentials sufficient, where it is not the model's own permission. */
  readonly accessFix?: string;
}

const modelAccessFix = "Check that the credentials allow bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream on this model and its inference profile, and that the account has access to the model in this region";

/** What an error of the SDK means for a call of a model: which failure, in the service's own words, and whether the same call may succeed later. */
export function bedrockFailure(cause: unknown, asked: Asked): TwelveError {
  if (cause instanceof TwelveError) return cause;
  const { name, hasBegun = false } = asked;
  const error = awsError(cause);
  const missing = credentialsFailure(cause, name, "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_BEARER_TOKEN_BEDROCK, or AWS_PROFILE after `aws sso login`");
  if (missing !== undefined) return missing;
  const { code, mayPass } = meaningOf(error, hasBegun);
  const fix = fixOf(code, error, asked);
  return new TwelveError(code, whatHappened(error, code, asked), { cause, ...(fix === undefined ? {} : { fix }), ...(mayPass ? { retry: { afterMs: error.retryAfterMs } } : {}) });
}

function whatHappened(error: AwsError, code: FailureCode, { name, url, hasBegun }: Asked): string {
  const { status, message, requestId } = error;
  const id = requestId === undefined ? "" : ` (request ${requestId})`;
  if (hasBegun === true || code === "SERVICE_CUT") return `${name} broke off its answer with ${error.name}: ${message}${id}`;
  if (status !== undefined && status >= 300) return `${name} answered ${status} ${error.name}: ${message}${id}`;
  if (status !== undefined) return `${name} answered something that is not JSON or not its own: ${message}${id}`;
  const { host } = new URL(url);
  if (error.name === "ECONNREFUSED") return `${name}: nothing answers at ${host}`;
  if (error.name === "ENOTFOUND") return `${name}: there is no host ${host}`;
  return `${name}: the connection to ${host} failed: ${message === "" ? error.name : message}`;
}

function fixOf(code: FailureCode, { name, message, status }: AwsError, { accessFix = modelAccessFix }: Asked): string | undefined {
  if (/on-demand throughput/i.test(message)) return "Name an inference profile instead of the bare model, such as bedrock:us.cohere.embed-v4:0";
  if (name === "ECONNREFUSED") return "Start the server, or correct the address, then run the command again";
  if (name === "ENOTFOUND") return "Correct the region or the host's name, or check the network, then run the command again";
  if (code === "SERVICE_DENIED") return accessFix;
  if (code === "SERVICE_FAILED" && status !== undefined) return "Check that the endpoint is that of AWS, and not of a proxy before it";
  return fixes[code];
}

const fixes: Readonly<Partial<Record<FailureCode, string>>> = {
  SERVICE_UNAUTHENTICATED: "Renew or correct the AWS credentials: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or AWS_BEARER_TOKEN_BEDROCK, or the profile; check the machine's clock",
  SERVICE_NOT_FOUND: "Check the ID and the region; a model past its end of life is gone as well",
  SERVICE_QUOTA: "Raise the quota in the AWS console, or wait until its period is over",
  SERVICE_REJECTED: "Correct the reference, or what is sent, as the service says above",
};
