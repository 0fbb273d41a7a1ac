import type { FailureCode } from "../../core/errors.ts";

/** What the errors of AWS's clients have in common, as far as they are read here. */
export interface AwsError {
  /** The service's own name for it, such as ThrottlingException; of network trouble its code, such as ECONNREFUSED. */
  readonly name: string;
  /** On one line, and not endless. */
  readonly message: string;
  /** Node's code of network trouble, which the SDK's handler hides behind another name at times. */
  readonly code: string | undefined;
  /** Undefined where no answer came, and for an error in the middle of a stream. */
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  /** What the service asked to wait; null where it did not say. */
  readonly retryAfterMs: number | null;
  /** What the container behind an endpoint answered, where the error is only its messenger. */
  readonly originalStatus: number | undefined;
}

export interface Meaning {
  readonly code: FailureCode;
  /** The same call may succeed later. */
  readonly mayPass: boolean;
}

const firmly = (code: FailureCode): Meaning => ({ code, mayPass: false });
const passing = (code: FailureCode): Meaning => ({ code, mayPass: true });

/** What the services say with one status for several things, or with a name that means another one; read before the names. */
const sayings: readonly (readonly [RegExp, Meaning])[] = [
  [/could not load credentials|resolved credential object is not valid|token is expired|api key is (?:not valid|invalid)|valid api key|your api key is valid|bearer token/i, firmly("SERVICE_UNAUTHENTICATED")],
  // A day's allowance does not come back by waiting a moment.
  [/tokens per day|requests per day/i, firmly("SERVICE_QUOTA")],
  [/model identifier is invalid|end of its life|endpoint \S+ (?:of account \S+ )?not found/i, firmly("SERVICE_NOT_FOUND")],
  [/blocked by (?:our |the )?content filter|(?:blocked|intervened) by (?:the |a )?guardrail|guardrail (?:has )?(?:blocked|intervened)|violat\w+ .*(?:policy|policies)/i, firmly("SERVICE_FILTERED")],
  [/truncated event message|^aborted$|message checksum|event stream.*(?:closed|ended)/i, passing("SERVICE_CUT")],
  [/did not establish a connection/i, passing("SERVICE_UNAVAILABLE")],
  [/exceeded the configured \d+ ms requestTimeout/i, passing("SERVICE_TIMEOUT")],
];

/** By the name's stem, without `Exception` and the like, because services disagree about its end. */
const names: Readonly<Record<string, Meaning>> = {
  ...named(firmly("SERVICE_UNAUTHENTICATED"), [
    "CredentialsProvider", "TokenProvider", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSignature", "UnrecognizedClient", "InvalidToken", "InvalidClientTokenId",
    "ExpiredToken", "RequestTimeTooSkewed", "RequestExpired", "IncompleteSignature", "MissingAuthenticationToken", "AuthorizationHeaderMalformed",
  ]),
  ...named(firmly("SERVICE_DENIED"), ["AccessDenied", "NotAuthorized", "UnauthorizedOperation", "KMSAccessDenied", "AllAccessDisabled", "AccountProblem"]),
  ...named(firmly("SERVICE_NOT_FOUND"), ["ResourceNotFound", "ParameterNotFound", "NoSuchBucket", "NoSuchKey", "NotFound"]),
  ...named(passing("SERVICE_LIMITED"), ["SlowDown", "Throttling", "Throttled", "ThrottledRequest", "TooManyRequests", "RequestLimitExceeded", "RequestThrottled", "ProvisionedThroughputExceeded"]),
  ...named(firmly("SERVICE_QUOTA"), ["ServiceQuotaExceeded", "LimitExceeded", "ItemCollectionSizeLimitExceeded"]),
  ...named(firmly("SERVICE_REJECTED"), ["Validation", "InvalidParameter", "InvalidParameterValue", "InvalidRequest", "Serialization", "UnknownOperation"]),
  ...named(passing("SERVICE_TIMEOUT"), ["Timeout", "RequestTimeout", "ModelTimeout"]),
  ...named(passing("SERVICE_UNAVAILABLE"), [
    "InternalServer", "Internal", "InternalFailure", "InternalDependency", "ServiceUnavailable", "ModelNotReady", "Model", "DependencyFailed", "BadGateway", "Service", "RetryableConflict", "TransactionConflict",
    "ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ERR_HTTP2_STREAM_CANCEL",
  ]),
  // They come after the answer began.
  ...named(passing("SERVICE_CUT"), ["ModelStream", "InternalStreamFailure", "ERR_STREAM_PREMATURE_CLOSE"]),
};

/** One table for every service of AWS. `hasBegun` says that a part of the answer had come, so that network trouble is a cut. */
export function meaningOf(error: AwsError, hasBegun = false): Meaning {
  const { name, message, code, status, originalStatus } = error;
  const saying = sayings.find(([pattern]) => pattern.test(message));
  if (saying !== undefined) return saying[1];
  const stem = name.replace(/(?:Exception|Error)+$/, "");
  if ((stem === "Model" || stem === "ModelStream") && originalStatus !== undefined && originalStatus < 500) return originalOf(originalStatus);
  const trouble = code !== undefined && Object.hasOwn(names, code) ? names[code] : undefined;
  const known = trouble ?? (Object.hasOwn(names, stem) ? names[stem] : undefined);
  if (hasBegun && (trouble !== undefined || stem === "Timeout")) return passing("SERVICE_CUT");
  return known ?? (status === undefined ? firmly("SERVICE_FAILED") : statusMeaning(status));
}

function statusMeaning(status: number): Meaning {
  if (status >= 500) return passing("SERVICE_UNAVAILABLE");
  if (status === 401) return firmly("SERVICE_UNAUTHENTICATED");
  if (status === 403) return firmly("SERVICE_DENIED");
  if (status === 404 || status === 410) return firmly("SERVICE_NOT_FOUND");
  if (status === 402) return firmly("SERVICE_QUOTA");
  if (status === 408) return passing("SERVICE_TIMEOUT");
  if (status === 424) return passing("SERVICE_UNAVAILABLE");
  if (status === 429) return passing("SERVICE_LIMITED");
  // A success that cannot be read, or a place that points elsewhere.
  return firmly(status < 400 ? "SERVICE_FAILED" : "SERVICE_REJECTED");
}

/** A container's 401 is not about our credentials: it would take no other request either. */
function originalOf(status: number): Meaning {
  return status === 408 || status === 429 ? statusMeaning(status) : firmly("SERVICE_REJECTED");
}

function named(meaning: Meaning, stems: readonly string[]): Record<string, Meaning> {
  return Object.fromEntries(stems.map((stem) => [stem, meaning]));
}
