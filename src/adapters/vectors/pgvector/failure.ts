import { TwelveError } from "../../../core/errors.ts";
import type { FailureCode } from "../../../core/errors.ts";

interface Cause {
  readonly code?: string;
  readonly message?: string;
  readonly errors?: readonly unknown[];
  readonly cause?: unknown;
}

interface Meaning {
  readonly code: FailureCode;
  readonly fix?: string;
  /** Whether the same call may succeed later. */
  readonly retry?: boolean;
}

const unreachable: Meaning = { code: "SERVICE_UNAVAILABLE", fix: "Check that the server runs and that the host and port of the vector service are right", retry: true };
const login: Meaning = { code: "SERVICE_UNAUTHENTICATED", fix: "Check the user and the password in the URL of the vector service" };

/** By SQLSTATE, or by the code of the operating system. A class of two letters stands for all of its states. */
const meanings: Readonly<Record<string, Meaning>> = {
  "28": login,
  "42501": { code: "SERVICE_DENIED", fix: "Let the user create a schema (`GRANT CREATE ON DATABASE <name> TO <user>`), or publish once as a user who may" },
  "3D000": { code: "SERVICE_NOT_FOUND", fix: "Create the database (`createdb <name>`), or correct the name in the URL" },
  "42P01": { code: "INDEX_NOT_FOUND", fix: "The namespace was dropped or published anew meanwhile: open it again" },
  "57014": { code: "SERVICE_TIMEOUT", retry: true },
  "53": { code: "SERVICE_UNAVAILABLE", fix: "The server is out of connections, memory or disk: give it more, or lower the number of processes", retry: true },
  "57": { code: "SERVICE_UNAVAILABLE", retry: true },
  "08": { code: "SERVICE_UNAVAILABLE", retry: true },
  "40": { code: "SERVICE_UNAVAILABLE", retry: true },
  "22": { code: "SERVICE_REJECTED" },
  "54": { code: "SERVICE_REJECTED" },
  ...Object.fromEntries(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN", "ENOENT", "ECONNRESET", "EPIPE"].map((code) => [code, unreachable])),
  ETIMEDOUT: { code: "SERVICE_TIMEOUT", retry: true },
};

/** What a Postgres server or its driver says, in our words: `url` has no credentials. What is no failure of the service is given back as it is. */
export function vectorFailure(error: unknown, url: string): unknown {
  if (error instanceof TwelveError) return error;
  for (const { code = "", message = "" } of causesOf(error)) {
    const meaning = meanings[code] ?? (/^[0-9A-Z]{5}$/.test(code) ? (meanings[code.slice(0, 2)] ?? { code: "SERVICE_FAILED" as const }) : byMessage(message));
    if (meaning === undefined) continue;
    const { fix, retry } = meaning;
    const said = [message, code].filter((part) => part !== "").join(", ");
    return new TwelveError(meaning.code, `${url}: ${said}`, { cause: error, ...(fix === undefined ? {} : { fix }), ...(retry === true ? { retry: { afterMs: null } } : {}) });
  }
  return error;
}

function byMessage(message: string): Meaning | undefined {
  if (/timeout exceeded when trying to connect|read timeout|timeout expired/i.test(message)) return { code: "SERVICE_TIMEOUT", retry: true };
  if (/connection terminated|connection ended|not queryable/i.test(message)) return { code: "SERVICE_UNAVAILABLE", retry: true };
  if (/SASL|password must be/i.test(message)) return login;
  if (/does not support ssl|certificate|SSL/i.test(message)) return { code: "SERVICE_UNAVAILABLE", fix: "Check `sslmode` in the URL of the vector service, and the server's certificate" };
  return undefined;
}

/** The error itself, then what it carries: drivers wrap, and a host with two addresses fails twice. */
function* causesOf(error: unknown): Iterable<Cause> {
  if (typeof error !== "object" || error === null) return;
  const carrier: Cause = error;
  yield carrier;
  for (const inner of [...(carrier.errors ?? []), carrier.cause]) yield* causesOf(inner);
}
