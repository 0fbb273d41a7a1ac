import { type FailureCode, TwelveError } from "../../core/errors.ts";

interface Cause {
  readonly code?: string;
  readonly message?: string;
  readonly errors?: readonly unknown[];
  readonly cause?: unknown;
}

interface Meaning {
  readonly code: FailureCode;
  /** What the server does, after its URL. */
  readonly verb: string;
  readonly fix?: string;
  /** Whether the same call may succeed later. */
  readonly mayPass?: boolean;
}

const login: Meaning = { code: "SERVICE_UNAUTHENTICATED", verb: "refuses the login", fix: "Check the user and the password in the URL" };
const unreachable: Meaning = { code: "SERVICE_UNAVAILABLE", verb: "cannot be reached", fix: "Check that the server runs and that the host and port in the URL are right", mayPass: true };
const troubled: Meaning = { code: "SERVICE_UNAVAILABLE", verb: "broke off", mayPass: true };
const cut: Meaning = { code: "SERVICE_CUT", verb: "broke off", mayPass: true };
const slow: Meaning = { code: "SERVICE_TIMEOUT", verb: "did not answer in time", fix: "Check that the server is not overloaded, then try again", mayPass: true };
const rejected: Meaning = { code: "SERVICE_REJECTED", verb: "refused the request" };
const damaged: Meaning = { code: "SERVICE_FAILED", verb: "found its data damaged", fix: "Look at the server's log, and restore the database from a backup" };
const foreign: Meaning = { code: "SERVICE_FAILED", verb: "cannot be used", fix: "Check that the host and port in the URL are those of a Postgres server" };

/**
 * By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), or by its class of two letters. What is not named here,
 * such as a syntax error or a table that is missing, is refused again when it is asked again.
 */
const states: Readonly<Record<string, Meaning>> = {
  "28": login,
  "3D000": { code: "SERVICE_NOT_FOUND", verb: "has no such database", fix: "Create the database (`createdb <name>`), or correct the name in the URL" },
  "57P04": { code: "SERVICE_NOT_FOUND", verb: "no longer has the database", fix: "Create the database (`createdb <name>`), or correct the name in the URL" },
  "42501": { code: "SERVICE_DENIED", verb: "does not allow this", fix: "Let the user in the URL create a schema (`GRANT CREATE ON DATABASE <name> TO <user>`), or run the command once as a user who may" },
  "25006": { code: "SERVICE_UNAVAILABLE", verb: "only reads", fix: "Give the URL of the primary, if this server is a replica; try again where one takes the place of another", mayPass: true },
  "55P03": { code: "SERVICE_UNAVAILABLE", verb: "is held by another session", fix: "Try again; `pg_locks` of the database shows who holds the lock", mayPass: true },
  "57014": slow,
  "53": { ...troubled, fix: "The server is out of connections, memory or disk: give it more, or lower the number of processes" },
  "08": troubled, "40": troubled, "57": troubled, "58": troubled, XX000: troubled,
  XX001: damaged, XX002: damaged,
};

/** What the server says with one state for several things. */
const reasons: readonly (readonly [state: string, RegExp, Meaning])[] = [
  ["28000", /pg_hba\.conf/, { code: "SERVICE_DENIED", verb: "does not let this machine in", fix: "Add a line for the host, user and database to the server's pg_hba.conf; where the server wants TLS, add `sslmode=require` to the URL" }],
];

/** By the code of the operating system. */
const network: Readonly<Record<string, Meaning>> = {
  ...Object.fromEntries(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN", "ENOENT", "EACCES"].map((code) => [code, unreachable])),
  ECONNRESET: cut, EPIPE: cut, ETIMEDOUT: slow,
};

/** What the driver says without any code. */
const sayings: readonly (readonly [RegExp, Meaning])[] = [
  [/timeout (?:exceeded|expired)|read timeout|due to connection timeout/i, slow],
  [/connection terminated|connection ended|not queryable/i, cut],
  [/SASL|password must be/i, login],
  [/protocol of Postgres|invalid response|received unexpected \w+ message/i, foreign],
  [/does not support ssl|certificate|SSL/i, { code: "SERVICE_FAILED", verb: "cannot be used", fix: "Check `sslmode` in the URL, and the server's certificate" }],
];

/** What a Postgres server or its driver says, in our words: `url` has no credentials. What is no failure of the service is given back as it is. */
export function postgresFailure(error: unknown, url: string): unknown {
  if (error instanceof TwelveError) return error;
  for (const { code = "", message = "" } of causesOf(error)) {
    const meaning = meaningOf(code, message);
    if (meaning === undefined) continue;
    const isState = /^[0-9A-Z]{5}$/.test(code);
    const said = message === "" ? code : isState ? `${message} (${code})` : message;
    return new TwelveError(meaning.code, `${url} ${meaning.verb}: ${said}`, { cause: error, ...(meaning.fix === undefined ? {} : { fix: meaning.fix }), ...(meaning.mayPass === true ? { retry: { afterMs: null } } : {}) });
  }
  return error;
}

/** The state of a failed statement, such as 42P01. */
export function sqlStateOf(error: unknown): string | undefined {
  for (const { code = "" } of causesOf(error)) if (/^[0-9A-Z]{5}$/.test(code) && !(code in network)) return code;
  return undefined;
}

function meaningOf(code: string, message: string): Meaning | undefined {
  const known = network[code] ?? reasons.find(([state, pattern]) => state === code && pattern.test(message))?.[2] ?? states[code];
  if (known !== undefined) return known;
  return /^[0-9A-Z]{5}$/.test(code) ? (states[code.slice(0, 2)] ?? rejected) : sayings.find(([pattern]) => pattern.test(message))?.[1];
}

/** The error itself, then what it carries: drivers wrap, and a host with two addresses fails twice. */
function* causesOf(error: unknown): Iterable<Cause> {
  if (typeof error !== "object" || error === null) return;
  const carrier: Cause = error;
  const { errors = [], cause } = carrier;
  yield carrier;
  for (const inner of [...errors, cause]) yield* causesOf(inner);
}
