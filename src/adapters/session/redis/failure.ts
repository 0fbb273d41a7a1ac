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

/** What Node says of a server's certificate (https://nodejs.org/api/tls.html#x509-certificate-error-codes), and of an answer that is no TLS or refuses it. */
const untrusted = /CERT_|_CERT|_SIGNATURE$|^INVALID_|^HOSTNAME_MISMATCH$/;
const noTls = /^(?:ERR_SSL_|EPROTO$)/;

/** What the driver threw, in our words: `url` has no credentials, `last` is what the connection said last. */
export function redisFailure(cause: unknown, url: string, last: Error | undefined): TwelveError {
  if (cause instanceof TwelveError) return cause;
  const error = cause instanceof Error ? cause : new Error(String(cause));
  // The driver gives up with an error of its own, and what lies behind it was told before.
  const reasons = [error, last].filter((each) => each !== undefined) as readonly (Error & { readonly code?: string; readonly reason?: string })[];
  const said = (what: Error): string => quoteService(what.message, { key: undefined });
  for (const reason of reasons) {
    const name = deniedInScript.test(reason.message) ? "NOPERM" : (/^(?:.*?:\s)?([A-Z]{3,})\b/.exec(reason.message)?.[1] ?? "");
    const meaning = replies[name];
    if (meaning !== undefined) {
      return new TwelveError(meaning.code, `${url} says: ${said(reason)}`, { cause, ...(meaning.fix === undefined ? {} : { fix: meaning.fix }), ...(meaning.mayPass === true ? { retry: { afterMs: null } } : {}) });
    }
  }
  const tls = reasons.find(({ code = "" }) => noTls.test(code));
  if (tls !== undefined) return new TwelveError("SERVICE_FAILED", `${url} does not answer in TLS: ${tls.reason ?? said(tls)}`, { cause, fix: "Check that the port is the one for TLS, and that the server asks for no certificate of its clients (`tls-auth-clients no`); `redis://` is for servers without TLS" });
  const stranger = reasons.find(({ code = "" }) => untrusted.test(code));
  if (stranger !== undefined) return new TwelveError("SERVICE_FAILED", `${url} has a certificate that is not trusted: ${said(stranger)}`, { cause, fix: "Check that the certificate names the host in the URL and has not expired; where your own authority signed it, set NODE_EXTRA_CA_CERTS to the authority's file before the process starts" });
  if (/timed out/i.test(error.message) || reasons.some(({ code }) => code === "ETIMEDOUT")) {
    // One without TLS may wait for the rest of what it takes for a command.
    return new TwelveError("SERVICE_TIMEOUT", `${url} did not answer in time`, { cause, retry: { afterMs: null }, fix: `Check that the server is not overloaded${url.startsWith("rediss:") ? ", and that the port is the one for TLS" : ""}, then try again` });
  }
  const refused = reasons.find(({ code = "" }) => unreachable.has(code));
  if (refused !== undefined) return new TwelveError("SERVICE_UNAVAILABLE", `${url} cannot be reached: ${said(refused)}`, { cause, retry: { afterMs: null }, fix: "Check that the server runs and that the host and port in the URL are right" });
  const garbled = reasons.find(({ name, message }) => name === "ParserError" || /protocol error|unknown RESP type/i.test(message));
  if (garbled !== undefined) return new TwelveError("SERVICE_FAILED", `${url} does not speak Redis's protocol: ${said(garbled)}`, { cause, fix: "Check that the address is that of a Redis server; `rediss://` is for TLS" });
  if (/connection|ECONNRESET|EPIPE|max retries|aborted/i.test(reasons.map(({ message, code = "" }) => `${message} ${code}`).join(" "))) {
    return new TwelveError("SERVICE_CUT", `${url} broke off: ${said(last ?? error)}`, { cause, retry: { afterMs: null }, fix: `Try again; a server that ${url.startsWith("rediss:") ? "asks for a certificate of its clients breaks off, too (`tls-auth-clients no`)" : "expects TLS breaks off, too: its URL begins with `rediss://`"}` });
  }
  return new TwelveError("SERVICE_FAILED", `${url} failed: ${said(error)}`, { cause });
}
