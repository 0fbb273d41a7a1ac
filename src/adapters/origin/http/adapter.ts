import { eitherOf } from "../../../core/abort.ts";
import { type FailureCode, TwelveError } from "../../../core/errors.ts";
import { withoutCredentials } from "../../../core/url.ts";
import type { OpenOptions, Origin, OriginFile } from "../../../ports/origin.ts";
import { meaningOf } from "../../http/meaning.ts";
import { readBody } from "./body.ts";

const mostRedirects = 5;
/** A server may take its time to begin, but not for ever. */
const answerTimeoutMs = 60_000;

interface Request {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** A folder of a web server. User name and password in the URL are sent as such; its query goes with every file. */
export function openOrigin(reference: string): Origin {
  const base = parseBase(reference);
  const url = withoutCredentials(reference);
  const authorization = authorizationOf(base);

  async function open(path: string, { resume, signal }: OpenOptions = {}): Promise<OriginFile | undefined> {
    const target = new URL(base);
    target.pathname = [base.pathname.replace(/\/$/, ""), ...path.split("/").map(encodeURIComponent)].join("/");
    const stop = new AbortController();
    const { signal: both } = eitherOf(signal, stop.signal);
    const headers = {
      // Bytes as they are: a compressed answer has another length, and no part of it can be asked for.
      "accept-encoding": "identity",
      ...(authorization === undefined ? {} : { authorization }),
      ...(resume === undefined ? {} : { range: `bytes=${resume.start}-`, "if-range": resume.version }),
    };
    const timer = setTimeout(() => stop.abort(failed(path, new Error(`no answer for ${answerTimeoutMs / 1000} s`), "SERVICE_TIMEOUT")), answerTimeoutMs);
    try {
      const response = await request({ url: target, headers, signal: both }).finally(() => clearTimeout(timer));
      if (response.status === 416 && resume !== undefined) {
        // Some servers look at the range before they see that the file is another one by now.
        stop.abort();
        return await open(path, signal === undefined ? {} : { signal });
      }
      return await answerOf(response, { path, resume: resume?.start, stop });
    } catch (error) {
      stop.abort();
      throw signal?.aborted === true ? (signal.reason as Error) : failed(path, error);
    }
  }

  function failed(path: string, cause: unknown, code: FailureCode = "SERVICE_UNAVAILABLE"): Error {
    if (cause instanceof TwelveError) return cause;
    return new TwelveError(code, `${path} cannot be fetched from ${url}: ${reasonOf(cause)}`, { cause, retry: { afterMs: null } });
  }

  async function answerOf(response: Response, { path, resume, stop }: { readonly path: string; readonly resume: number | undefined; readonly stop: AbortController }): Promise<OriginFile | undefined> {
    const { status, headers } = response;
    if (status !== 200 && status !== 206) {
      await response.body?.cancel();
      if (status === 404 || status === 410) return undefined;
      throw refusal(status, headers, `${url} answered ${status} for ${path}`);
    }
    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get("content-range") ?? "");
    if (status === 206 && Number(range?.[1]) !== resume) throw new TwelveError("SERVICE_FAILED", `${url} gave another part of ${path} than it was asked for`);
    const length = status === 206 ? range?.[2] : (headers.get("content-length") ?? undefined);
    const tag = headers.get("etag");
    return {
      start: status === 206 ? (resume ?? 0) : 0,
      sizeBytes: length === undefined ? undefined : Number(length),
      // A weak tag names a meaning, not the bytes.
      version: tag === null || tag.startsWith("W/") ? undefined : tag,
      bytes: readBody(response, stop, (cause) => failed(path, cause, "SERVICE_CUT")),
    };
  }

  return { url, open };
}

/** Follows redirects itself: each one must be as safe as the first URL, and credentials stay with the host they are for. */
async function request({ url, headers, signal }: Request, redirects = 0): Promise<Response> {
  const response = await fetch(url, { headers, signal, redirect: "manual" });
  const location = [301, 302, 303, 307, 308].includes(response.status) ? response.headers.get("location") : null;
  if (location === null) return response;
  await response.body?.cancel();
  const next = new URL(location, url);
  if (redirects === mostRedirects) throw new TwelveError("SERVICE_FAILED", `${url.host} answers with more than ${mostRedirects} redirects`);
  if (!isSafe(next)) throw new TwelveError("SERVICE_FAILED", `${url.host} redirects to ${next.protocol}//${next.host}, which is not https:`);
  const { authorization, ...others } = headers as Record<string, string>;
  const keepsCredentials = next.origin === url.origin && authorization !== undefined;
  return request({ url: next, headers: keepsCredentials ? headers : others, signal }, redirects + 1);
}

function parseBase(reference: string): URL {
  const url = URL.parse(reference);
  const shown = withoutCredentials(reference);
  if (url === null || url.hostname === "") throw new TwelveError("SERVICE_UNSUPPORTED", `${shown} is not a URL`, { fix: "Write https://host/folder" });
  if (!isSafe(url)) throw new TwelveError("SERVICE_UNSUPPORTED", `${shown} is not encrypted, and who sits in between could give other files`, { fix: "Use https:; http: is for this machine only" });
  return url;
}

function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || (protocol === "http:" && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname));
}

/** Takes user name and password out of the URL, where fetch refuses them. */
function authorizationOf(url: URL): string | undefined {
  const { username, password } = url;
  url.username = "";
  url.password = "";
  if (username === "" && password === "") return undefined;
  return `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64")}`;
}

function refusal(status: number, headers: Headers, message: string): TwelveError {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  const retry = { afterMs: Number.isFinite(seconds) ? seconds * 1000 : null };
  const fix = "Give the URL with user name and password, or with its signed query";
  const { code, mayPass } = meaningOf(status, { message: "", codes: [] });
  const isForbidden = code === "SERVICE_UNAUTHENTICATED" || code === "SERVICE_DENIED";
  return new TwelveError(code, message, { ...(isForbidden ? { fix } : {}), ...(mayPass ? { retry } : {}) });
}

/** What fetch throws says only "fetch failed"; the reason is inside. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return inner instanceof Error ? inner.message || inner.name : String(inner);
}
