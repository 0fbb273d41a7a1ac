import { type FailureCode, TwelveError } from "../../../core/errors.ts";
import { quoteService } from "../../http/service.ts";

interface Meaning {
  readonly code: FailureCode;
  readonly fix?: string;
  /** Whether the same call may succeed later. */
  readonly mayPass?: boolean;
}

/** What Redis calls its errors, which is the first word of what it says. */
const replies: Readonly<Record<string, Meaning>> = {
  WRONGPASS: { code: "SERVICE_UNAUTHENTICATED", fix: "Check the user and the password in the URL" },
  NOAUTH: { code: "SERVICE_UNAUTHENTICATED", fix: "Put the password into the URL: `redis://:password@host`" },
  NOPERM: { code: "SERVICE_DENIED", fix: "Let the user run scripts on the keys `twelve:session:*` (`ACL SETUSER <user> ~twelve:session:* +@all`)" },
  OOM: { code: "SERVICE_QUOTA", fix: "Give Redis more memory (`maxmemory`), or let sessions expire sooner" },
  LOADING: { code: "SERVICE_UNAVAILABLE", mayPass: true },
  BUSY: { code: "SERVICE_UNAVAILABLE", mayPass: true },
  READONLY: { code: "SERVICE_UNAVAILABLE", mayPass: true, fix: "Give the URL of the primary; this server is a replica" },
  CLUSTERDOWN: { code: "SERVICE_UNAVAILABLE", mayPass: true },
  MASTERDOWN: { code: "SERVICE_UNAVAILABLE", mayPass: true },
  MISCONF: { code: "SERVICE_UNAVAILABLE", mayPass: true, fix: "Redis cannot write to its disk: look at its log" },
  MOVED: { code: "SERVICE_REJECTED", fix: "The server is part of a cluster; give the URL of a proxy or of a server without cluster mode" },
};

/** What Redis 7 says, without a name of its own, of a right that is missing inside a script. */
const deniedInScript = /The user executing the script can't|ACL failure in script/;

const unreachable = new Set(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN"]);

/** What the driver threw, in our words: `url` has no credentials, `last` is what the connection said last. */
export function redisFailure(cause: unknown, url: string, last: Error | undefined): TwelveError {
  if (cause instanceof TwelveError) return cause;
  const error = cause instanceof Error ? cause : new Error(String(cause));
  // The driver gives up with an error of its own, and what lies behind it was told before.
  const reasons = [error, last].filter((each) => each !== undefined) as readonly (Error & { readonly code?: string })[];
  const said = (what: Error): string => quoteService(what.message, { key: undefined });
  for (const reason of reasons) {
    const name = deniedInScript.test(reason.message) ? "NOPERM" : (/^(?:.*?:\s)?([A-Z]{3,})\b/.exec(reason.message)?.[1] ?? "");
    const meaning = replies[name];
    if (meaning !== undefined) {
      return new TwelveError(meaning.code, `${url} says: ${said(reason)}`, { cause, ...(meaning.fix === undefined ? {} : { fix: meaning.fix }), ...(meaning.mayPass === true ? { retry: { afterMs: null } } : {}) });
    }
  }
  if (/timed out/i.test(error.message)) return new TwelveError("SERVICE_TIMEOUT", `${url} did not answer in time`, { cause, retry: { afterMs: null }, fix: "Check that the server is not overloaded, then try again" });
  const refused = reasons.find(({ code = "" }) => unreachable.has(code));
  if (refused !== undefined) return new TwelveError("SERVICE_UNAVAILABLE", `${url} cannot be reached: ${said(refused)}`, { cause, retry: { afterMs: null }, fix: "Check that the server runs and that the host and port in the URL are right" });
  const garbled = reasons.find(({ name, message }) => name === "ParserError" || /protocol error/i.test(message));
  if (garbled !== undefined) return new TwelveError("SERVICE_FAILED", `${url} does not speak Redis's protocol: ${said(garbled)}`, { cause, fix: "Check that the address is that of a Redis server; `rediss://` is for TLS" });
  if (/connection|ECONNRESET|EPIPE|max retries|aborted/i.test(reasons.map(({ message, code = "" }) => `${message} ${code}`).join(" "))) {
    return new TwelveError("SERVICE_CUT", `${url} broke off: ${said(last ?? error)}`, { cause, retry: { afterMs: null } });
  }
  return new TwelveError("SERVICE_FAILED", `${url} failed: ${said(error)}`, { cause });
}
