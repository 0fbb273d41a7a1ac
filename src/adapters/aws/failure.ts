import { type FailureCode, type FailureDetails, TwelveError } from "../../core/errors.ts";
import { retryAfterMs } from "../http/retry-after.ts";
import { quoteService } from "../http/service.ts";
import { type AwsError, meaningOf } from "./meaning.ts";

/**
 * A failure of an AWS service in our words; `what` was being used, such as `The bucket s3://manuals`. Callers look first
 * for what has a meaning of its own (a missing key) and for an abort; `action` is the permission that was needed. Where a
 * retry can help, the failure says so. `hasBegun` says that a part of the answer had come.
 */
export function awsFailure(cause: unknown, what: string, action = "the action named above", hasBegun = false): TwelveError {
  if (cause instanceof TwelveError) return cause;
  const error = awsError(cause);
  if (/region is missing/i.test(error.message)) return new TwelveError("CONFIG_INVALID", `${what} needs an AWS region, and none is set`, { cause, fix: "Set AWS_REGION, such as eu-central-1" });
  const missing = credentialsFailure(cause, what);
  if (missing !== undefined) return missing;
  const { code, mayPass } = meaningOf(error, hasBegun);
  return new TwelveError(code, `${what} ${verbs[code] ?? "failed"} (${saidBy(error)})`, { cause, ...fixOf(code, action), ...(mayPass ? { retry: { afterMs: error.retryAfterMs } } : {}) });
}

const verbs: Readonly<Partial<Record<FailureCode, string>>> = {
  SERVICE_UNAUTHENTICATED: "refused the AWS credentials",
  SERVICE_DENIED: "may not be used with these AWS credentials",
  SERVICE_NOT_FOUND: "does not exist, or no longer",
  SERVICE_LIMITED: "is asked too often",
  SERVICE_QUOTA: "has used up a quota",
  SERVICE_REJECTED: "refused the request",
  SERVICE_TIMEOUT: "did not answer in time",
  SERVICE_CUT: "broke off its answer",
};

function fixOf(code: FailureCode, action: string): FailureDetails {
  if (code === "SERVICE_UNAUTHENTICATED") return { fix: "Correct or renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the profile; check the machine's clock" };
  if (code === "SERVICE_DENIED") return { fix: `Allow ${action} in the policies of the user or role` };
  if (code === "SERVICE_NOT_FOUND") return { fix: "Check the name, the region and the account" };
  if (code === "SERVICE_QUOTA") return { fix: "Raise the quota in the AWS console" };
  return {};
}

/** The failure where no credentials were found, or those that were named cannot be had; undefined for any other error. */
export function credentialsFailure(cause: unknown, what: string, fix = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run where a role is given to the process"): TwelveError | undefined {
  const { name, message } = awsError(cause);
  const isBare = /could not load credentials|resolved credential object is not valid/i.test(message);
  if (!isBare && name !== "CredentialsProviderError" && name !== "TokenProviderError") return undefined;
  // Where a profile was tried the SDK says what is wrong with it, such as a session that has ended.
  const reason = message === "" || isBare ? "and none were found" : `which cannot be had: ${message}`;
  return new TwelveError("SERVICE_UNAUTHENTICATED", `${what} needs AWS credentials, ${reason}`, { cause, fix });
}

/** Whether a failure in our words stands for an error of an AWS service with one of these names, such as ConflictException. */
export function isCausedBy(failure: unknown, ...names: readonly string[]): boolean {
  return failure instanceof TwelveError && failure.cause instanceof Error && names.includes(failure.cause.name);
}

/** What the service said, with its own name for the request, which its support asks for. */
function saidBy({ name, message, requestId }: AwsError): string {
  return `${message === "" || message === name ? name : `${name}: ${message}`}${requestId === undefined ? "" : `, request ${requestId}`}`;
}

/** What an SDK's errors may carry besides name and message. */
interface Carried {
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
  readonly originalStatusCode?: unknown;
  readonly OriginalStatusCode?: unknown;
  readonly Message?: unknown;
  readonly OriginalMessage?: unknown;
}

/** Whatever a client threw, as far as it is read; network errors have a code such as ECONNREFUSED for a name. */
export function awsError(thrown: unknown): AwsError {
  // A name with several addresses fails with one error for each.
  const error = thrown instanceof AggregateError && thrown.errors.length > 0 ? (thrown.errors[0] as unknown) : thrown;
  if (!(error instanceof Error)) return { name: String(error), message: "", code: undefined, status: undefined, requestId: undefined, retryAfterMs: null, originalStatus: undefined };
  const carried = error as Error & Carried;
  const code = typeof carried.code === "string" ? carried.code : undefined;
  const isNamed = error.name !== "Error" && error.name !== "TypeError" && error.name !== "AggregateError";
  const original = carried.originalStatusCode ?? carried.OriginalStatusCode;
  const message = [carried.OriginalMessage, error.message, carried.Message].find((text) => typeof text === "string" && text !== "") as string | undefined;
  return {
    name: isNamed ? error.name : (code ?? error.name),
    // The SDK adds lines for its own developers; some servers answer with a page.
    message: quoteService(message?.trim().split("\n", 1)[0] ?? "", { key: undefined }),
    code,
    status: carried.$metadata?.httpStatusCode ?? carried.$response?.statusCode,
    requestId: carried.$metadata?.requestId,
    retryAfterMs: retryAfterMs(carried.$response?.headers ?? {}),
    originalStatus: typeof original === "number" ? original : undefined,
  };
}
