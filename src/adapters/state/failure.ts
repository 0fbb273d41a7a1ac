import { TwelveError } from "../../core/errors.ts";

interface Cause {
  readonly code?: string;
  readonly message?: string;
  readonly errors?: readonly unknown[];
  readonly cause?: unknown;
}

const unreachable = new Set(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "EAI_AGAIN", "ENOENT", "EACCES"]);
const refusedLogin = new Set(["28P01", "28000"]);

/** What a Postgres server or its driver says, in our words: `url` has no credentials. Anything unknown is given back as it is. */
export function databaseFailure(error: unknown, url: string): unknown {
  if (error instanceof TwelveError) return error;
  for (const { code = "", message = "" } of causesOf(error)) {
    if (refusedLogin.has(code)) return denied(`${url} refuses the login: ${message}`, "Check the user and the password in STATE_URL", error);
    if (code === "3D000") return failed(`${url} has no such database: ${message}`, "Create the database (`createdb <name>`), or correct the name in STATE_URL", error);
    if (code === "42501") return denied(`${url} does not allow this: ${message}`, "Let the user of STATE_URL create a schema (`GRANT CREATE ON DATABASE <name> TO <user>`), or run the command once as a user who may", error);
    if (unreachable.has(code)) return failed(`${url} cannot be reached: ${message || code}`, "Check that the server runs and that the host and port in STATE_URL are right", error);
    if (/^[0-9A-Z]{5}$/.test(code)) return failed(`${url} broke off: ${message} (${code})`, undefined, error);
    if (/connection terminated|timeout (exceeded|expired)|does not support ssl|SASL|certificate/i.test(message)) return failed(`${url} cannot be used: ${message}`, "Check that the server runs, and the password and `sslmode` in STATE_URL", error);
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

function denied(message: string, fix: string, cause: unknown): TwelveError {
  return new TwelveError("SERVICE_DENIED", message, { fix, cause });
}

function failed(message: string, fix: string | undefined, cause: unknown): TwelveError {
  return new TwelveError("SERVICE_FAILED", message, { ...(fix === undefined ? {} : { fix }), cause, retry: { afterMs: null } });
}
