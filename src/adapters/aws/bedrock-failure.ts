import { type FailureDetails, TwelveError } from "../../core/errors.ts";
import { connectionFailure } from "../http/failure.ts";
import { retryAfterMs } from "../http/retry-after.ts";
import { quoteService } from "../http/service.ts";

/** What the SDK adds to the errors of a service. */
interface ServiceError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

interface Asked {
  /** Such as `bedrock:amazon.titan-embed-text-v2:0`. */
  readonly name: string;
  readonly url: string;
}

const denied = new Set(["AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException", "ExpiredToken", "InvalidSignatureException", "IncompleteSignatureException", "MissingAuthenticationTokenException", "InvalidClientTokenId"]);
const passing = new Set(["ModelNotReadyException", "ModelTimeoutException", "ModelErrorException", "InternalServerException", "ServiceUnavailableException"]);
const accessFix = "Check that the credentials are right and not expired, that they allow bedrock:InvokeModel on this model and its inference profile, and that the account has access to the model in this region";

/** What an error of the SDK means: which failure, in Bedrock's own words, and whether the same call may succeed later. */
export function bedrockFailure(cause: unknown, { name, url }: Asked): TwelveError {
  const error: ServiceError = cause instanceof Error ? cause : new Error(String(cause));
  const status = error.$metadata?.httpStatusCode;
  if (error.name === "CredentialsProviderError" || /could not load credentials|resolved credential object is not valid/i.test(error.message)) {
    return new TwelveError("SERVICE_DENIED", `${name} needs AWS credentials, and none can be used: ${quoteService(error.message, { key: undefined })}`, { fix: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_BEARER_TOKEN_BEDROCK, or AWS_PROFILE after `aws sso login`" });
  }
  // A success that broke off in its middle is none.
  if (status === undefined || status < 300) return connectionFailure(cause, { service: { name, keyName: "", key: undefined }, url });

  const id = error.$metadata?.requestId;
  const what = `${name} answered ${status} ${error.name}: ${quoteService(error.message, { key: undefined })}${id === undefined ? "" : ` (request ${id})`}`;
  const later: FailureDetails = { cause, retry: { afterMs: retryAfterMs(error.$response?.headers ?? {}) } };
  if (denied.has(error.name) || status === 401 || status === 403) return new TwelveError("SERVICE_DENIED", what, { cause, fix: accessFix });
  if (error.name === "ServiceQuotaExceededException") return new TwelveError("SERVICE_LIMITED", what, { cause, fix: "Raise the quota in the AWS console, then run the command again" });
  if (passing.has(error.name)) return new TwelveError("SERVICE_FAILED", what, later);
  if (status === 429 || error.name === "ThrottlingException") return new TwelveError("SERVICE_LIMITED", what, later);
  if (status === 408 || status === 424 || status >= 500) return new TwelveError("SERVICE_FAILED", what, later);
  return new TwelveError("SERVICE_FAILED", what, { cause, fix: fixOf(error, status) });
}

function fixOf({ name, message }: Error, status: number): string {
  if (/on-demand throughput/i.test(message)) return "Name an inference profile instead of the bare model, such as bedrock:us.cohere.embed-v4:0";
  if (name === "ResourceNotFoundException" || status === 404) return "Check the model's ID and the region; a model past its end of life is gone as well";
  return "Correct the reference, or what is sent, as Bedrock says above";
}
