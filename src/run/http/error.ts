import type { z } from "zod";
import { type FailureCode, summaryOf, TwelveError } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest.ts";
import { closestBranch, formatPath, valueAt } from "../../core/problems.ts";
import { withoutKeys } from "../../core/scrub.ts";
import type { ErrorReply } from "./error-schema.ts";

export interface HttpError {
  readonly status: number;
  readonly body: ErrorReply;
  /** For the header Retry-After, where the same request may succeed later. */
  readonly retryAfterSeconds?: number;
  /** Clients of OpenAI ask again after each 409 by themselves; here that would do no good, or do the work twice. */
  readonly isFinal?: boolean;
}

/** Failures that are not the server's own; every other one answers with 500. */
const known: Readonly<Partial<Record<FailureCode, { readonly status: number; readonly code: string; readonly param?: string }>>> = {
  AGENT_UNKNOWN: { status: 404, code: "model_not_found", param: "model" },
  INDEX_UNKNOWN: { status: 404, code: "model_not_found", param: "model" },
  RELEASE_NOT_FOUND: { status: 404, code: "release_not_found" },
  RELEASES_BUSY: { status: 503, code: "releases_busy" },
  REQUEST_INVALID: { status: 400, code: "invalid_request" },
  PROMPT_INPUT_INVALID: { status: 400, code: "invalid_variables", param: "variables" },
  SERVICE_FAILED: { status: 502, code: "service_failed" },
  SERVICE_CUT: { status: 502, code: "service_cut" },
  SERVICE_UNAUTHENTICATED: { status: 502, code: "service_unauthenticated" },
  SERVICE_DENIED: { status: 502, code: "service_denied" },
  SERVICE_NOT_FOUND: { status: 502, code: "service_not_found" },
  SERVICE_QUOTA: { status: 502, code: "service_quota" },
  SERVICE_UNAVAILABLE: { status: 503, code: "service_unavailable" },
  SERVICE_TIMEOUT: { status: 504, code: "service_timeout" },
  SERVICE_LIMITED: { status: 429, code: "service_limited" },
  // What the caller sent; asking again would not help, and clients ask again after a 5xx.
  SERVICE_REJECTED: { status: 400, code: "service_rejected" },
  MODEL_UNABLE: { status: 400, code: "model_unable" },
  SERVICE_FILTERED: { status: 400, code: "content_filter" },
  // An index that was there when the process started, and may be published again.
  INDEX_NOT_FOUND: { status: 503, code: "index_not_found" },
  INDEX_NOT_PUBLISHED: { status: 503, code: "index_not_published" },
  INDEX_CORRUPT: { status: 503, code: "index_corrupt" },
  RUN_NOT_FOUND: { status: 404, code: "run_not_found" },
  RUN_CONFLICT: { status: 409, code: "run_conflict" },
  RUN_CANCELLED: { status: 409, code: "run_cancelled" },
  APPROVAL_NEEDED: { status: 409, code: "approval_needed" },
  SESSION_INVALID: { status: 400, code: "invalid_session", param: "session" },
  SESSION_NOT_FOUND: { status: 404, code: "session_not_found" },
  SESSION_BUSY: { status: 409, code: "session_busy" },
  SESSION_CONFLICT: { status: 409, code: "session_conflict" },
  SESSION_TOO_LARGE: { status: 413, code: "session_too_large" },
  IDEMPOTENCY_KEY_REUSED: { status: 422, code: "idempotency_key_reused" },
  IDEMPOTENCY_KEY_BUSY: { status: 409, code: "idempotency_key_busy" },
  IDEMPOTENCY_ANSWER_LOST: { status: 422, code: "idempotency_answer_lost" },
  PROCESS_NOT_READY: { status: 503, code: "not_ready" },
  PROCESS_STOPPING: { status: 503, code: "stopping" },
  ANSWER_CUT: { status: 503, code: "answer_cut" },
  ANSWER_OVERDUE: { status: 504, code: "answer_overdue" },
  REQUEST_TOO_LARGE: { status: 413, code: "request_too_large" },
  KEY_MISSING: { status: 401, code: "api_key_missing" },
  KEY_INVALID: { status: 401, code: "invalid_api_key" },
  SCOPE_MISSING: { status: 403, code: "scope_missing" },
  ORIGIN_REFUSED: { status: 403, code: "origin_not_allowed" },
  HOST_REFUSED: { status: 403, code: "host_not_allowed" },
  RUN_NOT_TAKEN: { status: 503, code: "run_not_taken" },
  RATE_EXCEEDED: { status: 429, code: "rate_limit_exceeded" },
};

/** What clients are asked to wait where the service that is away did not say. */
const shortestWaitMs = 1000;

/** What the HTTP layer itself refuses, by Fastify's code. */
const refused: Readonly<Record<string, { readonly code: string; readonly message: string }>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: "unsupported_media_type", message: "The body must be JSON: send it with content-type: application/json" },
};

export function httpError(status: number, fields: Omit<ErrorReply["error"], "type">): HttpError {
  const { message, param, code, trace_id } = fields;
  return { status, body: { error: { message, type: typeOf(status), param, code, trace_id } } };
}

/** As OpenAI's API has it. */
export function typeOf(status: number): ErrorReply["error"]["type"] {
  if (status === 429) return "requests";
  return status < 500 ? "invalid_request_error" : "server_error";
}

/** What the server has to tell its log: the caller is told of it only that it was. */
export function isInternal(error: unknown): boolean {
  if (error instanceof TwelveError) return known[error.code] === undefined;
  const { statusCode } = error as { readonly statusCode?: number };
  return statusCode === undefined || statusCode >= 500;
}

/**
 * A bug of ours, or a failure that is not for callers, says nothing about its insides; the log has them under the same trace. What
 * services said is passed on without what looks like a key.
 */
export function toHttpError(error: unknown, traceId: string): HttpError {
  const meaning = error instanceof TwelveError ? known[error.code] : undefined;
  if (error instanceof TwelveError && meaning !== undefined) {
    const { status, code, param } = meaning;
    const answer = httpError(status, { message: withoutKeys(summaryOf(error)), param: error.problems[0]?.path ?? param ?? null, code, trace_id: traceId });
    const isLater = (status === 503 || status === 429 || status === 409) && error.retry !== undefined;
    if (isLater) return { ...answer, retryAfterSeconds: Math.ceil((error.retry?.afterMs ?? shortestWaitMs) / 1000) };
    return status === 409 ? { ...answer, isFinal: true } : answer;
  }
  const { code, statusCode, message } = (error instanceof TwelveError ? {} : error) as { readonly code?: string; readonly statusCode?: number; readonly message?: string };
  if (statusCode !== undefined && statusCode < 500) {
    const known = refused[code ?? ""];
    return httpError(statusCode, { message: known?.message ?? message ?? "The request cannot be read", param: null, code: known?.code ?? "invalid_request", trace_id: traceId });
  }
  const isKnown = error instanceof TwelveError;
  return httpError(500, { message: hidden(traceId), param: null, code: isKnown ? error.code.toLowerCase() : "internal_error", trace_id: traceId });
}

/** The same for a failure that was kept with its run. */
export function toldMessage({ code = "", message }: { readonly code?: string | undefined; readonly message: string }, traceId: string): string {
  return Object.hasOwn(known, code) ? withoutKeys(message) : hidden(traceId);
}

function hidden(traceId: string): string {
  return `Something went wrong inside the server. Its log has the details under the trace ${traceId}`;
}

/** More than anybody reads; to word each of a hundred thousand would hold up everybody else. */
const mostProblems = 20;

/** What a request's schema says against it, one problem per field, the first of very many; `known` are the fields that a misspelt one may have meant. */
export function invalidRequest(error: z.ZodError, body: unknown, known: readonly string[]): TwelveError {
  const problems = error.issues.slice(0, mostProblems).flatMap((issue) => problemsOf(issue, body, known)).slice(0, mostProblems);
  const places = error.issues.reduce((sum, issue) => sum + placesOf(issue), 0);
  const message = places > mostProblems ? `The request is not valid in ${places} places, of which these are the first` : "The request is not valid";
  return new TwelveError("REQUEST_INVALID", message, { problems: problems.map(({ path, message }) => (path === "" ? { message } : { path, message })) });
}

interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

function placesOf(issue: z.core.$ZodIssue): number {
  if (issue.code === "unrecognized_keys") return issue.keys.length;
  return issue.code === "invalid_union" ? (meantBranch(issue)?.length ?? 1) : 1;
}

/** The alternative that has looked into the value; nothing where none has. */
function meantBranch({ errors }: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] | undefined {
  const branch = closestBranch(errors);
  return branch?.some(({ path }) => path.length > 0) ? branch : undefined;
}

function problemsOf(issue: z.core.$ZodIssue, body: unknown, known: readonly string[]): readonly FieldProblem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.slice(0, mostProblems).map((key) => ({ path: formatPath([...issue.path, key]), message: `Unknown field.${issue.path.length === 0 ? didYouMean(key, known) : ""}` }));
  }
  const branch = issue.code === "invalid_union" ? meantBranch(issue) : undefined;
  // What no alternative has looked into is told in the words of the field itself.
  if (branch !== undefined) return branch.slice(0, mostProblems).flatMap((inner) => problemsOf({ ...inner, path: [...issue.path, ...inner.path] }, body, known));
  return [{ path: formatPath(issue.path), message: wording(issue, valueAt(body, issue.path)) }];
}

/** The schema's own words where it has some, and never the validator's for a field that is missing or of another type. */
function wording(issue: z.core.$ZodIssue, found: unknown): string {
  const { message } = issue;
  if (!message.startsWith("Invalid input")) return message;
  const expected = issue.code === "invalid_type" ? `expected ${issue.expected}` : undefined;
  if (found === undefined) return expected === undefined ? "Required" : `Required; ${expected}`;
  if (typeof found === "number" && !Number.isFinite(found)) return "Too large a number";
  const type = found === null ? "null" : Array.isArray(found) ? "array" : typeof found;
  return expected === undefined ? `No ${type} of this form is expected` : `E${expected.slice(1)}, found ${type}`;
}
