import { type FailureCode, type FailureDetails, TwelveError } from "../../../core/errors.ts";
import { connectionFailure, requestIdOf } from "../../http/failure.ts";
import { meaningOf } from "../../http/meaning.ts";
import { retryAfterMs } from "../../http/retry-after.ts";
import { type HttpService, quoteService } from "../../http/service.ts";
import { fieldsOf, listOf, textOf } from "../../http/unchecked.ts";

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The JSON value, or the text where it is none. */
  readonly body: unknown;
}

/** Whom the request went to. */
interface Asked {
  /** Without credentials. */
  readonly url: string;
  readonly address: string;
}

interface Meaning {
  readonly code: FailureCode;
  readonly fix?: string;
  /** The same call may succeed later. */
  readonly mayPass?: boolean;
}

/** What OpenSearch says, by its name for it and its words, where the status alone would say less or another thing. */
const sayings: readonly (readonly [RegExp, Meaning])[] = [
  [/^index_not_found_exception/, { code: "INDEX_NOT_FOUND", fix: "It was dropped or published anew meanwhile: open it again" }],
  [/disk usage exceeded|flood.?stage|read-only-allow-delete/i, { code: "SERVICE_QUOTA", fix: "The disk of the cluster is too full for more: free some of it or add nodes, then publish again" }],
  [/maximum (?:\w+ )?shards open/i, { code: "SERVICE_QUOTA", fix: "Drop what nothing refers to with `twelve admin gc`, or raise `cluster.max_shards_per_node`" }],
  [/No handler for type \[knn_vector\]/i, { code: "SERVICE_REJECTED", fix: "Install the plugin opensearch-knn on every node; all standard distributions have it" }],
  [/delimited_term_freq/i, { code: "SERVICE_REJECTED", fix: "Use OpenSearch 2.10 or newer" }],
  [/cannot execute \[?\w*\]? ?scripts|compilation.*(?:disabled|not allowed)/i, { code: "SERVICE_REJECTED", fix: "Let the cluster run inline scripts (`script.allowed_types`)" }],
  [/security token|signature|credential.*(?:expired|scope)|missing authentication token/i, { code: "SERVICE_UNAUTHENTICATED", fix: "Correct or renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the profile; check the region and the machine's clock" }],
];

const fixes: Readonly<Partial<Record<FailureCode, string>>> = {
  SERVICE_UNAUTHENTICATED: "Check the user and the password in the URL; a domain of Amazon with IAM needs ?aws=es",
  SERVICE_DENIED: "Let the user or role read, write, make and delete the indexes `twelve-vectors.*` and their aliases, and send bulk requests",
  SERVICE_NOT_FOUND: "Check the address: it is not that of an OpenSearch cluster",
};

/** What an answer that is no success means, in the server's own words. */
export function answerFailure({ status, headers, body }: Answered, { url }: Asked): TwelveError {
  if (status >= 300 && status < 400) return new TwelveError("SERVICE_FAILED", `${url} answered ${status} and points elsewhere`, { fix: "Redirects are not followed: put the address that answers itself into the URL" });
  const { type, reason } = saidIn(body);
  return failureOf({ status, said: type === "" ? reason : `${type}: ${reason}`, what: `${url} answered ${status}`, afterMs: retryAfterMs(headers), request: requestIdOf(headers) });
}

/** What one refused document of a bulk request means. */
export function itemFailure({ status, error }: { readonly status: number; readonly error: unknown }, { url }: Pick<Asked, "url">): TwelveError {
  const { type, reason } = saidIn({ error });
  return failureOf({ status, said: `${type}: ${reason}`, what: `${url} refused a document with ${status}`, afterMs: null, request: undefined });
}

interface Refusal {
  readonly status: number;
  readonly said: string;
  readonly what: string;
  readonly afterMs: number | null;
  readonly request: string | undefined;
}

function failureOf({ status, said, what, afterMs, request }: Refusal): TwelveError {
  const saying = sayings.find(([pattern]) => pattern.test(said))?.[1];
  const { code, mayPass = false, fix = fixes[code] }: Meaning = saying ?? meaningOf(status, { codes: [], message: said });
  const quoted = quoteService(said, { key: undefined });
  const own: FailureDetails = status === 413 ? { fix: "Raise `http.max_content_length` of the server, or the limit of the proxy before it" } : fix === undefined ? {} : { fix };
  return new TwelveError(code, `${what}${quoted === "" ? "" : `: ${quoted}`}${request === undefined ? "" : ` (request ${request})`}`, { ...own, ...(mayPass ? { retry: { afterMs } } : {}) });
}

/** `{error:{type,reason,root_cause}}` of OpenSearch, `{message}` of Amazon, or the text of a proxy. */
function saidIn(body: unknown): { readonly type: string; readonly reason: string } {
  const outer = fieldsOf(body);
  const error = fieldsOf(outer["error"]);
  // "all shards failed" says nothing; what lies behind it does.
  const root = fieldsOf(listOf(error["root_cause"])[0]);
  const cause = fieldsOf(error["caused_by"]);
  const told = textOf(root["reason"]) === undefined ? error : root;
  const behind = textOf(cause["reason"]);
  const reason = textOf(told["reason"]) ?? textOf(outer["error"]) ?? textOf(outer["message"]) ?? textOf(outer["Message"]) ?? (typeof body === "string" ? body.replaceAll(/<[^>]*>/g, " ") : "");
  return { type: textOf(told["type"]) ?? "", reason: behind === undefined || behind === reason ? reason : `${reason}: ${behind}` };
}

/** By Node's code. Certificates fail with many, which its message explains. */
const untrusted = /^(?:CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_OSSL_|EPROTO$)/;

/** What a request means that got no answer, or no whole one. */
export function transportFailure(cause: unknown, asked: Asked): TwelveError {
  if (cause instanceof TwelveError) return cause;
  const service: HttpService = { name: asked.url, keyName: "", key: undefined };
  const { code = "", message, name } = innermost(cause);
  const where = { service, url: asked.address };
  if (name === "DeserializationError") return new TwelveError("SERVICE_FAILED", `${asked.url} answered something that is not JSON: ${quoteService(message, service)}`, { cause, fix: "Check that the address is that of an OpenSearch cluster" });
  if (code === "ECONNRESET" || /aborted while reading|socket hang up/i.test(message)) {
    const fix = asked.address.startsWith("http:") ? { fix: "Try again; a server that speaks TLS is written opensearch://" } : {};
    return new TwelveError("SERVICE_CUT", `${asked.url} broke off: ${quoteService(message, service)}`, { cause, retry: { afterMs: null }, ...fix });
  }
  if (code.startsWith("HPE_")) return new TwelveError("SERVICE_FAILED", `${asked.url}: what answers there does not speak HTTP: ${quoteService(message, service)}`, { cause, fix: "Check the port; opensearch+http:// is for a server without TLS" });
  if (code === "EPROTO") return new TwelveError("SERVICE_FAILED", `${asked.url}: what answers there does not speak TLS: ${quoteService(message, service)}`, { cause, fix: "Check the port; a server without TLS is written opensearch+http://" });
  if (untrusted.test(code)) return new TwelveError("SERVICE_FAILED", `${asked.url}: its certificate cannot be trusted: ${quoteService(message, service)} (${code})`, { cause, fix: "Correct the host's name, or name the file of the authority that signed the certificate in NODE_EXTRA_CA_CERTS" });
  return connectionFailure(innermost(cause), where);
}

/** The client hides Node's error behind one of its own. A name with several addresses fails with one error for each. */
function innermost(error: unknown): NodeJS.ErrnoException {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  if (error instanceof Error && error.cause !== undefined) return innermost(error.cause);
  return error instanceof Error ? error : new Error(String(error));
}
