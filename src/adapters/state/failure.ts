import { TwelveError, type FailureCode } from "../../core/errors.ts";

interface Cause {
  readonly code?: string;
  readonly message?: string;
  readonly errors?: readonly unknown[];
  readonly cause?: unknown;
}

const unreachable = new Set(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "EAI_AGAIN", "ENOENT", "EACCES"]);
const refusedLogin = new Set(["28P01", "28000"]);
const reset = new Set(["ECONNRESET", "EPIPE"]);
/** Classes of SQLSTATE: connection lost, out of resources, the operator stopped it, the system has trouble. */
const troubled = /^(08|53|57P|58)/;

/** What a Postgres server or its driver says, in our words: `url` has no credentials. Anything unknown is given back as it is. */
export function databaseFailure(error: unknown, url: string): unknown {
  if (error instanceof TwelveError) return error;
  for (const { code = "", message = "" } of causesOf(error)) {
    if (refusedLogin.has(code)) return refused("SERVICE_UNAUTHENTICATED", `${url} refuses the login: ${message}`, "Check the user and the password in the URL", error);
    if (code === "3D000") return refused("SERVICE_NOT_FOUND", `${url} has no such database: ${message}`, "Create the database (`createdb <name>`), or correct the name in the URL", error);
    if (code === "42501") return refused("SERVICE_DENIED", `${url} does not allow this: ${message}`, "Let the user in the URL create a schema (`GRANT CREATE ON DATABASE <name> TO <user>`), or run the command once as a user who may", error);
    if (unreachable.has(code)) return failed("SERVICE_UNAVAILABLE", `${url} cannot be reached: ${message || code}`, "Check that the server runs and that the host and port in the URL are right", error);
    if (reset.has(code) || /connection terminated/i.test(message)) return failed("SERVICE_CUT", `${url} broke off: ${message || code}`, undefined, error);
    if (/timeout (exceeded|expired)|read timeout/i.test(message) || code === "57014") return failed("SERVICE_TIMEOUT", `${url} did not answer in time: ${message}`, "Check that the server is not overloaded, then try again", error);
    if (troubled.test(code)) return failed("SERVICE_UNAVAILABLE", `${url} broke off: ${message} (${code})`, undefined, error);
    if (/^[0-9A-Z]{5}$/.test(code)) return failed("SERVICE_FAILED", `${url} broke off: ${message} (${code})`, undefined, error);
    if (/does not support ssl|SASL|certificate/i.test(message)) return failed("SERVICE_FAILED", `${url} cannot be used: ${message}`, "Check that the server runs, and the password and `sslmode` in the URL", error);
  }
  return error;
}

/** The error itself, then what it carries: drivers wrap, and a host with two addresses fails twice. */
function* causesOf(error: unknown): Iterable<Cause> {
  if (typeof error !== "object" || error === null) return;
  const carrier: Cause = error;
  const { errors = [], cause } = carrier;
  yield carrier;
  for (const inner of [...errors, cause]) yield* causesOf(inner);
}

function refused(code: FailureCode, message: string, fix: string, cause: unknown): TwelveError {
  return new TwelveError(code, message, { fix, cause });
}

function failed(code: FailureCode, message: string, fix: string | undefined, cause: unknown): TwelveError {
  return new TwelveError(code, message, { ...(fix === undefined ? {} : { fix }), cause, retry: { afterMs: null } });
}
