import { TwelveError } from "../../core/errors.ts";

const noCredentials = new Set(["CredentialsProviderError", "TokenProviderError"]);
const badCredentials = new Set([
  "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSignatureException", "UnrecognizedClientException", "InvalidToken", "InvalidClientTokenId",
  "ExpiredToken", "ExpiredTokenException", "RequestTimeTooSkewed", "IncompleteSignature", "MissingAuthenticationToken", "AuthorizationHeaderMalformed",
]);
const limited = new Set(["SlowDown", "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "ServiceQuotaExceededException"]);

/** What the SDK's errors have in common, as far as they are read here. */
interface AwsError {
  readonly name: string;
  readonly message: string;
  readonly status: number | undefined;
}

/**
 * A failure of an AWS service in our words; `what` was being used, such as `The bucket s3://manuals`. Callers look first
 * for what has a meaning of its own (a missing key) and for an abort; `action` is the permission that was needed. Where a
 * retry can help, the failure says so.
 */
export function awsFailure(cause: unknown, what: string, action = "the action named above"): TwelveError {
  if (cause instanceof TwelveError) return cause;
  const { name, message, status } = awsError(cause);
  const said = message === "" || message === name ? name : `${name}: ${message}`;
  if (noCredentials.has(name) || /could not load credentials/i.test(message)) {
    // Where a profile was tried the SDK says what is wrong with it, such as a session that has ended.
    const reason = message === "" || /could not load credentials/i.test(message) ? "and none were found" : `which cannot be had: ${message}`;
    return new TwelveError("SERVICE_DENIED", `${what} needs AWS credentials, ${reason}`, {
      cause, fix: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run where a role is given to the process",
    });
  }
  if (/region is missing/i.test(message)) return new TwelveError("CONFIG_INVALID", `${what} needs an AWS region, and none is set`, { cause, fix: "Set AWS_REGION, such as eu-central-1" });
  if (badCredentials.has(name)) {
    return new TwelveError("SERVICE_DENIED", `${what} refused the AWS credentials (${said})`, { cause, fix: "Correct or renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the profile; check the machine's clock" });
  }
  if (status === 401 || status === 403 || name.startsWith("AccessDenied")) return new TwelveError("SERVICE_DENIED", `${what} may not be used with these AWS credentials (${said})`, { cause, fix: `Allow ${action} in the policies of the user or role` });
  if (status === 429 || limited.has(name)) return new TwelveError("SERVICE_LIMITED", `${what} is asked too often (${said})`, { cause, retry: { afterMs: null } });
  const canRetry = status === undefined || status >= 500 || status === 408;
  return new TwelveError("SERVICE_FAILED", `${what} failed (${said})`, { cause, ...(canRetry ? { retry: { afterMs: null } } : {}) });
}

/** Name, message and HTTP status of whatever a client threw; network errors have a code such as ECONNREFUSED for a name. */
export function awsError(error: unknown): AwsError {
  if (!(error instanceof Error)) return { name: String(error), message: "", status: undefined };
  const metadata = "$metadata" in error ? (error.$metadata as { readonly httpStatusCode?: number } | undefined) : undefined;
  const isNamed = error.name !== "Error" && error.name !== "TypeError" && error.name !== "AggregateError";
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return { name: isNamed ? error.name : code, message: shortened(error.message), status: metadata?.httpStatusCode };
}

/** The first line, and not an endless one: some servers answer with a page. */
function shortened(message: string): string {
  const [line = ""] = message.trim().split("\n");
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
