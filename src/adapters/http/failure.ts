import { type FailureCode, type FailureDetails, TwelveError } from "../../core/errors.ts";
import { withoutCredentials } from "../../core/url.ts";
import { meaningOf, statusOf } from "./meaning.ts";
import { retryAfterMs } from "./retry-after.ts";
import { readSaid, type Said } from "./said.ts";
import { type HttpService, quoteService } from "./service.ts";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

interface Asked {
  readonly service: HttpService;
  readonly url: string;
  /** Statuses that may pass besides the usual ones. */
  readonly passing?: readonly number[];
}

/** What an answer that is no success means: which failure, in the service's own words, and whether the same call may succeed later. */
export function answerFailure(answer: HttpAnswer, asked: Asked): TwelveError {
  const { status, headers, text } = answer;
  if (status >= 300 && status < 400) return redirectFailure(answer, asked);
  const said = readSaid(text);
  const what = `${asked.service.name} answered ${status}${quoted(said, asked)}${requestOf(headers, asked)}`;
  const meaning = meaningOf(status, said);
  if (asked.passing?.includes(status) === true) return new TwelveError("SERVICE_UNAVAILABLE", what, { retry: { afterMs: retryAfterMs(headers) } });
  return new TwelveError(meaning.code, what, { ...fixOf(meaning.code, status, asked), ...(meaning.mayPass ? { retry: { afterMs: retryAfterMs(headers) } } : {}) });
}

/** What an error means that comes within an answer that began as a success. */
export function lateFailure(said: Said, headers: Headers, asked: Asked): TwelveError {
  const status = statusOf(said);
  const { code, mayPass } = meaningOf(status, said);
  const what = `${asked.service.name} broke off its answer${said.codes[0] === undefined ? "" : ` with ${quoteService(said.codes[0], asked.service)}`}${quoted(said, asked)}${requestOf(headers, asked)}`;
  return new TwelveError(code, what, { ...fixOf(code, status, asked), ...(mayPass ? { retry: { afterMs: retryAfterMs(headers) } } : {}) });
}

function quoted({ message }: Said, { service }: Asked): string {
  const text = quoteService(message, service);
  return text === "" ? "" : `: ${text}`;
}

/** The service's own name for the request, which its support asks for. */
export function requestIdOf(headers: Headers): string | undefined {
  return [headers["x-request-id"], headers["request-id"], headers["x-amzn-requestid"], headers["x-pinecone-request-id"]].flat().find((value) => value !== undefined);
}

function requestOf(headers: Headers, { service }: Asked): string {
  const id = requestIdOf(headers);
  return id === undefined ? "" : ` (request ${quoteService(id, service)})`;
}

function fixOf(code: FailureCode, status: number, { service, url }: Asked): FailureDetails {
  if (code === "SERVICE_UNAUTHENTICATED") return { fix: service.key === undefined ? `Set ${service.keyName} in the process environment or in the environment's configuration source` : `Check ${service.keyName}: the key may be wrong or expired` };
  if (code === "SERVICE_DENIED") return { fix: `Check that the key in ${service.keyName} is allowed to use this model` };
  if (code === "SERVICE_NOT_FOUND") return { fix: `Check the address and the model's name, which may be past its end of life; the request went to ${withoutCredentials(url)}` };
  if (code === "SERVICE_QUOTA") return { fix: "Raise the quota or add credit at the provider, then run the command again" };
  if (code === "SERVICE_REJECTED") return { fix: status === 413 ? "Send less at once: make the chunks smaller, or the conversation shorter" : "Correct the reference, or what is sent, as the service says above" };
  return {};
}

/** A key must not follow to a place that nobody configured. */
function redirectFailure({ status, headers }: HttpAnswer, { service, url }: Asked): TwelveError {
  const to = [headers["location"]].flat()[0];
  const target = to !== undefined && URL.canParse(to, url) ? withoutCredentials(new URL(to, url).href) : undefined;
  return new TwelveError("SERVICE_FAILED", `${service.name} answered ${status} and points elsewhere${target === undefined ? "" : `, to ${quoteService(target, service)}`}`, {
    fix: "Redirects are not followed: put the address that answers itself into the reference",
  });
}

/** What Node and undici call a connection that could not be made or did not last. */
const passingCodes = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN", "UND_ERR_SOCKET", "UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"]);

/** What the system was asked for before there was a connection. */
const connecting = new Set(["connect", "getaddrinfo"]);

/** What a request that got no answer means. */
export function connectionFailure(cause: unknown, { service, url }: Asked): TwelveError {
  const found = innermost(cause);
  if (found instanceof TwelveError) return new TwelveError(found.code, `${service.name}: ${found.message}`, { cause, fix: found.fix, isUnsent: true });
  const { name, code = "", message, syscall = "" } = found;
  const isUnsent = connecting.has(syscall) || code === "UND_ERR_CONNECT_TIMEOUT";
  const details: FailureDetails = { cause, isUnsent, ...(passingCodes.has(code) ? { retry: { afterMs: null } } : {}) };
  const { host } = new URL(url);
  if (code === "ECONNREFUSED") return new TwelveError("SERVICE_UNAVAILABLE", `${service.name}: nothing answers at ${host}`, { ...details, fix: "Start the server, or correct the address, then run the command again" });
  if (code === "ENOTFOUND") return new TwelveError("SERVICE_UNAVAILABLE", `${service.name}: there is no host ${host}`, { ...details, fix: "Correct the host's name, or check the network, then run the command again" });
  if (name === "HTTPParserError") return new TwelveError("SERVICE_FAILED", `${service.name}: what answers at ${host} does not speak HTTP: ${quoteService(firstLine(message) || code, service)}`, details);
  return new TwelveError("SERVICE_UNAVAILABLE", `${service.name}: the connection to ${host} failed: ${quoteService(firstLine(message) || code, service)}`, details);
}

/** What an answer means that began and did not come to its end. */
export function cutFailure(cause: unknown, { service, url }: Asked): TwelveError {
  const { code = "", message } = innermost(cause);
  return new TwelveError("SERVICE_CUT", `${service.name} broke off its answer: the connection to ${new URL(url).host} ended: ${quoteService(firstLine(message) || code, service)}`, { cause, retry: { afterMs: null } });
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
