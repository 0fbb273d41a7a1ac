import { type FailureCode, TwelveError } from "../../core/errors.ts";
import { wait } from "../../core/patience.ts";
import { retrying } from "../../core/retry.ts";
import type { Session, SessionEntry, SessionKey, SessionStore } from "../../ports/session.ts";
import { type Mark, markOf } from "./mark.ts";

/** One session of a store, and how long what is appended to it is kept. */
export interface Log {
  readonly store: SessionStore;
  readonly key: SessionKey;
  readonly ttlSeconds: number;
}

/** After these an append may have happened, as the port says. */
const unclear: ReadonlySet<FailureCode> = new Set(["SERVICE_TIMEOUT", "SERVICE_CUT", "SERVICE_UNAVAILABLE"]);
const attempts = 4;

/**
 * Appends marked entries, and gives the version behind them. Where the outcome is not known, the session is read: what is there was appended,
 * and what is not is appended again, which the expected version makes safe. Fails with SESSION_CONFLICT when somebody else was first.
 */
export async function appendMarked(log: Log, entries: readonly SessionEntry[], expected: number): Promise<number> {
  const own = entries.map(markOf).at(-1);
  if (own === undefined) throw new Error("What is appended under a claim needs its mark");
  let from = expected;
  let isInDoubt = own.step !== "begun";
  return retrying(async () => {
    try {
      return await log.store.append(log.key, entries, { expected: from, ttlSeconds: log.ttlSeconds });
    } catch (error) {
      if (!(error instanceof TwelveError) || !(unclear.has(error.code) || (isInDoubt && error.code === "SESSION_CONFLICT"))) throw error;
      // From here on a conflict may be one with ourselves.
      isInDoubt = true;
      const session = await log.store.read(log.key).catch(() => undefined);
      const found = session === undefined ? undefined : versionBehind(session, own);
      if (found !== undefined) return found;
      if (error.code === "SESSION_CONFLICT" && (session === undefined || !isOpenFor(session, own))) throw error;
      from = session !== undefined && isOpenFor(session, own) ? session.version : from;
      throw new TwelveError(error.code, error.message, { cause: error, fix: error.fix, retry: error.retry ?? { afterMs: null } });
    }
  }, { sleep: (ms) => wait(ms), random: Math.random, onRetry: () => {}, isWorthIt: (_waitMs, attempt) => attempt < attempts });
}

/** Undefined where the entry is not there. */
function versionBehind({ version, entries }: Session, own: Mark): number | undefined {
  const at = entries.findLastIndex((entry) => isSame(markOf(entry), own));
  return at === -1 ? undefined : version - (entries.length - 1 - at);
}

function isSame(mark: Mark | undefined, own: Mark): boolean {
  return mark?.id === own.id && mark.number === own.number;
}

/** Whether nobody else has appended since. */
function isOpenFor({ entries }: Session, own: Mark): boolean {
  const last = entries.at(-1);
  const mark = last === undefined ? undefined : markOf(last);
  return mark?.id === own.id && mark.step !== "ended";
}
