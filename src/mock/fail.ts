import { TwelveError } from "../core/errors.ts";
import { isPassing, type ScriptedCode } from "./code.ts";
import type { Fail } from "./schema.ts";

const codeOfStatus: Readonly<Record<number, ScriptedCode>> = {
  401: "SERVICE_UNAUTHENTICATED",
  402: "SERVICE_QUOTA",
  403: "SERVICE_DENIED",
  404: "SERVICE_NOT_FOUND",
  408: "SERVICE_TIMEOUT",
  410: "SERVICE_NOT_FOUND",
  429: "SERVICE_LIMITED",
  504: "SERVICE_TIMEOUT",
};

/** What a failure was played by: a mock server gives it as it is written. */
interface Played {
  readonly played: Fail;
}

/** The failure that `who`, such as `mock:script:mocks/support.yaml`, ends with. */
export function failureOf(fail: Fail, who: string): TwelveError {
  const { status, message, retryAfterMs } = fail;
  const code = fail.code ?? (fail.reset ? "SERVICE_CUT" : (codeOfStatus[status ?? 0] ?? ((status ?? 0) < 500 ? "SERVICE_REJECTED" : "SERVICE_UNAVAILABLE")));
  const what = `${who} answered${status === undefined ? "" : ` ${status}`}: ${message ?? "its script says so"}`;
  const cause: Played = { played: fail };
  return new TwelveError(code, what, { cause, ...(isPassing(code) || retryAfterMs !== undefined ? { retry: { afterMs: retryAfterMs ?? null } } : {}) });
}

/** What a script says about a failure; undefined for one that no script has played. */
export function playedFailure(error: unknown): Fail | undefined {
  if (!(error instanceof TwelveError) || typeof error.cause !== "object" || error.cause === null || !("played" in error.cause)) return undefined;
  return (error.cause as Played).played;
}
