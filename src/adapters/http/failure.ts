import { type FailureDetails, TwelveError } from "../../core/errors.ts";
import { withoutCredentials } from "../../core/url.ts";
import { retryAfterMs } from "./retry-after.ts";
import { type HttpService, quoteService } from "./service.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

interface Asked {
  readonly service: HttpService;
  readonly url: string;
  /** Statuses that may pass besides the usual ones. */
  readonly passing?: readonly number[];
}

/** What an answer that is no success means: which failure, in the service's own words, and whether the same call may succeed later. */
export function answerFailure(answer: HttpAnswer, { service, url, passing = [] }: Asked): TwelveError {
  const { status, headers, text } = answer;
  const { message, code } = errorIn(text);
  const said = quoteService(message, service);
  const id = [headers["x-request-id"], headers["request-id"], headers["x-amzn-requestid"]].flat().find((value) => value !== undefined);
  const what = `${service.name} answered ${status}${said === "" ? "" : `: ${said}`}${id === undefined ? "" : ` (request ${quoteService(id, service)})`}`;
  if (status >= 300 && status < 400) return redirectFailure(answer, { service, url });
  if (status === 401 || status === 403) return new TwelveError("SERVICE_DENIED", what, { fix: keyFix(service) });
  const retry = { retry: { afterMs: retryAfterMs(headers) } };
  if (status === 429) {
    // A quota that is used up stays so until somebody pays.
    const isUsedUp = code === "insufficient_quota" || code === "billing_hard_limit_reached";
    return new TwelveError("SERVICE_LIMITED", what, isUsedUp ? { fix: "Raise the quota or add credit at the provider, then run the command again" } : retry);
  }
  const mayPass = status === 408 || status === 425 || status >= 500 || passing.includes(status);
  return new TwelveError("SERVICE_FAILED", what, mayPass ? retry : { fix: fixOf(status, url) });
}

function fixOf(status: number, url: string): string {
  if (status === 404 || status === 405) return `Check the address and the model's name; the request went to ${withoutCredentials(url)}`;
  if (status === 413) return "Send less at once: make the chunks smaller";
  return "Correct the reference, or what is sent, as the service says above";
}

/** A key must not follow to a place that nobody configured. */
function redirectFailure({ status, headers }: HttpAnswer, { service, url }: Asked): TwelveError {
  const to = [headers["location"]].flat()[0];
  const target = to !== undefined && URL.canParse(to, url) ? withoutCredentials(new URL(to, url).href) : undefined;
  return new TwelveError("SERVICE_FAILED", `${service.name} answered ${status} and points elsewhere${target === undefined ? "" : `, to ${quoteService(target, service)}`}`, {
    fix: "Redirects are not followed: put the address that answers itself into the reference",
  });
}

function keyFix({ key, keyName }: HttpService): string {
  return key === undefined ? `Set ${keyName} in the process environment or in the environment's configuration source` : `Check ${keyName}: the key may be wrong or expired, or not allowed to use this model`;
}

/** Broken off, or never there: what Node and undici call it. */
const passingCodes = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN", "UND_ERR_SOCKET", "UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"]);

/** What a request that got no whole answer means. */
export function connectionFailure(cause: unknown, { service, url }: Asked): TwelveError {
  const { code = "", message } = innermost(cause);
  const details: FailureDetails = { cause, ...(passingCodes.has(code) ? { retry: { afterMs: null } } : {}) };
  const { host } = new URL(url);
  if (code === "ECONNREFUSED") return new TwelveError("SERVICE_FAILED", `${service.name}: nothing answers at ${host}`, { ...details, fix: "Start the server, or correct the address, then run the command again" });
  if (code === "ENOTFOUND") return new TwelveError("SERVICE_FAILED", `${service.name}: there is no host ${host}`, { ...details, fix: "Correct the host's name, or check the network, then run the command again" });
  return new TwelveError("SERVICE_FAILED", `${service.name}: the connection to ${host} failed: ${quoteService(firstLine(message) || code, service)}`, details);
}

/** The AWS SDK adds a second one for its own developers. */
function firstLine(message: string): string {
  return message.split("\n", 1)[0]?.trim() ?? "";
}

/** A name with several addresses fails with one error for each. */
function innermost(error: unknown): NodeJS.ErrnoException {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  return error instanceof Error ? error : new Error(String(error));
}

/** `{error:{message,code}}` of OpenAI and its like, `{error,error_type}` of TEI, `{message}` of others; else the text itself. */
function errorIn(text: string): { readonly message: string; readonly code: string | undefined } {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { message: text.replaceAll(/<[^>]*>/g, " "), code: undefined };
  }
  const outer = recordOf(body);
  const inner = typeof outer["error"] === "object" ? recordOf(outer["error"]) : {};
  const message = [inner["message"], outer["error"], outer["message"], outer["detail"]].find((value) => typeof value === "string");
  const code = [inner["code"], inner["type"], outer["code"]].find((value) => typeof value === "string");
  return { message: message ?? text, code };
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
