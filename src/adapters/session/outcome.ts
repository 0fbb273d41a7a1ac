import { type FailureCode, TwelveError } from "../../core/errors.ts";

/** What became of an append, for services that tell it only to whoever looks: what `src/ports/session.ts` promises about failures. */
export type Pause = (ms: number) => Promise<void>;

/** After these it may have happened, as the port says. */
const unclear: ReadonlySet<FailureCode> = new Set(["SERVICE_TIMEOUT", "SERVICE_CUT", "SERVICE_UNAVAILABLE"]);
const mostLooks = 5;
const firstPauseMs = 100;

/** Longer each time, and of no two processes the same. */
export function pauseMs(attempt: number): number {
  return firstPauseMs * 2 ** attempt * (0.5 + Math.random() / 2);
}

/**
 * What became of a write that the service has taken. A look that sees nothing yet gives undefined. It is repeated for about a second; an
 * answer that does not come then is no refusal of the append, whatever its code.
 */
export async function settled<Seen>(look: () => Promise<Seen | undefined>, pause: Pause): Promise<Seen> {
  for (let attempt = 1; ; attempt += 1) {
    const seen = await look().catch((error: unknown) => {
      // One that was too slow has had its time.
      if (attempt === mostLooks || !(error instanceof TwelveError) || error.retry === undefined || error.code === "SERVICE_TIMEOUT") throw outcomeUnknown(error);
      return undefined;
    });
    if (seen !== undefined) return seen;
    if (attempt === mostLooks) throw outcomeUnknown(new TwelveError("SERVICE_UNAVAILABLE", "The service took the append, and does not show it"));
    await pause(pauseMs(attempt - 1));
  }
}

/** What became of a write that failed: a refusal stays one, and what says nothing about the write is followed by one look. */
export async function foundAfter<Seen>(error: unknown, look: () => Promise<Seen | undefined>): Promise<Seen> {
  if (!isUnclear(error)) throw error;
  const seen = error.code === "SERVICE_TIMEOUT" ? undefined : await look().catch(() => undefined);
  if (seen === undefined) throw outcomeUnknown(error);
  return seen;
}

/** A page that comes instead of an answer says nothing either. */
function isUnclear(error: unknown): error is TwelveError {
  return error instanceof TwelveError && (unclear.has(error.code) || error.code === "SERVICE_FAILED");
}

/** Whether the service said no, and will say it again. */
export function isRefusal(error: unknown): boolean {
  return error instanceof TwelveError && error.retry === undefined && !isUnclear(error);
}

/** Without a retry: the same append would meet itself, and be told of a conflict. */
function outcomeUnknown(error: unknown): unknown {
  if (!(error instanceof TwelveError)) return error;
  const code = unclear.has(error.code) ? error.code : "SERVICE_UNAVAILABLE";
  return new TwelveError(code, `${error.message}; the append may have happened`, { cause: error, fix: `Read the session again before you append. ${error.fix}` });
}
