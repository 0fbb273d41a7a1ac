import { type FailureCode, TwelveError } from "../../core/errors.ts";
import { awsError, credentialsFailure } from "./failure.ts";
import { type AwsError, meaningOf } from "./meaning.ts";

export interface Asked {
  /** Such as `bedrock:amazon.titan-embed-text-v2:0`. */
  readonly name: string;
  readonly url: string;
  /** A part of the answer had come. */
  readonly hasBegun?: boolean;
  /** Of the answer that had begun: its errors carry none. */
  readonly requestId?: string | undefined;
  /** What helps with this service; `none` where there are no credentials at all. */
  readonly fixes: Readonly<Partial<Record<FailureCode, string>>> & { readonly none: string };
}

/** What an error of an SDK means for a call of a model: which failure, in the service's own words, and whether the same call may succeed later. */
export function modelFailure(cause: unknown, asked: Asked): TwelveError {
  if (cause instanceof TwelveError) return cause;
  const { name, fixes, hasBegun = false } = asked;
  const missing = credentialsFailure(cause, name, fixes.none);
  if (missing !== undefined) return missing;
  const error = awsError(cause);
  const { code, mayPass } = meaningOf(error, hasBegun);
  const fix = networkFix(error) ?? fixes[code] ?? fixFor(code, error);
  return new TwelveError(code, whatHappened(error, code, asked), { cause, ...(fix === undefined ? {} : { fix }), ...(mayPass ? { retry: { afterMs: error.retryAfterMs } } : {}) });
}

function whatHappened(error: AwsError, code: FailureCode, { name, url, hasBegun, requestId: begun }: Asked): string {
  const { status, message, requestId = begun } = error;
  const id = requestId === undefined ? "" : ` (request ${requestId})`;
  if (hasBegun === true || code === "SERVICE_CUT") return `${name} broke off its answer: ${error.name === "Error" ? "" : `${error.name}: `}${message}${id}`;
  if (status !== undefined && status >= 300) return `${name} answered ${status} ${error.name}: ${message}${id}`;
  if (status !== undefined) return `${name} answered something that is not JSON or not its own: ${message}${id}`;
  const { host } = new URL(url);
  if (error.name === "ECONNREFUSED") return `${name}: nothing answers at ${host}`;
  if (error.name === "ENOTFOUND") return `${name}: there is no host ${host}`;
  return `${name}: the connection to ${host} failed: ${message === "" ? error.name : message}`;
}

function networkFix({ name, message }: AwsError): string | undefined {
  if (/on-demand throughput/i.test(message)) return "Name an inference profile instead of the bare model, such as bedrock:us.cohere.embed-v4:0";
  if (name === "ECONNREFUSED") return "Start the server, or correct the address, then run the command again";
  if (name === "ENOTFOUND") return "Correct the region or the host's name, or check the network, then run the command again";
  return undefined;
}

function fixFor(code: FailureCode, { status }: AwsError): string | undefined {
  if (code === "SERVICE_QUOTA") return "Raise the quota in the AWS console, or wait until its period is over";
  if (code === "SERVICE_REJECTED") return "Correct the reference, or what is sent, as the service says above";
  return code === "SERVICE_FAILED" && status !== undefined ? "Check that the endpoint is that of AWS, and not of a proxy before it" : undefined;
}
