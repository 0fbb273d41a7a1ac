import type { Json } from "../../core/canonical-json.ts";
import { TwelveError } from "../../core/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { SessionEntry } from "../../ports/session.ts";
import { appendMarked, type Log } from "./append.ts";
import type { Mark, OpenClaim } from "./mark.ts";

/** An entry to be: the claim adds when it was said, and whose it is. */
export interface Draft extends Omit<SessionEntry, "at" | "data"> {
  readonly data?: Readonly<Record<string, Json | undefined>>;
}

export interface Lease {
  readonly clock: Pick<Clock, "now" | "randomHex">;
  /** How long a claim counts that nobody prolongs: so long others wait after a process died. */
  readonly leaseMs?: number;
  readonly renewMs?: number;
  /** What whoever lost the claim fails with. */
  readonly lost: (cause: TwelveError) => TwelveError;
}

/** The right to be the next to append to a session, for as long as the process lives. */
export interface Claim {
  readonly id: string;
  /** Aborted when somebody else has taken over, or the session was deleted: whatever is being made for it is in vain. */
  readonly signal: AbortSignal;
  /** Appends these, at least one, and frees the session. Fails with what `lost` gives where the claim was lost: nothing is overwritten. */
  end(drafts: readonly Draft[]): Promise<void>;
}

/** As soon as a lost worker of runs is noticed. */
export const usualLeaseMs = 8000;

/**
 * Claims a session by appending to it: the expected version lets exactly one of several succeed, the others fail with SESSION_CONFLICT.
 * The claim is prolonged in the background, so that others can tell a process that works from one that died.
 */
export async function claim(log: Log, expected: number, begin: readonly Draft[], { clock, leaseMs = usualLeaseMs, renewMs = leaseMs / 3, lost }: Lease): Promise<Claim> {
  const id = clock.randomHex(8);
  const controller = new AbortController();
  let number = 0;
  const append = (step: Mark["step"], drafts: readonly Draft[], from: number): Promise<number> => {
    const at = clock.now().toISOString();
    return appendMarked(log, drafts.map(({ role, content, data }): SessionEntry => ({ role, content, at, data: { ...data, claim: { id, step, number: number++ } } })), from);
  };
  let version = await append("begun", begin, expected);
  let isEnding = false;
  let renewing: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  function renewLater(): void {
    if (isEnding) return;
    timer = setTimeout(() => void (renewing = renew()), renewMs);
    timer.unref();
  }

  async function renew(): Promise<void> {
    try {
      version = await append("held", [{ role: "system", content: "" }], version);
      renewLater();
    } catch (error) {
      if (error instanceof TwelveError && error.code === "SESSION_CONFLICT") controller.abort(lost(error));
      // The service may be back before the lease is over.
      else renewLater();
    }
  }

  renewLater();
  return {
    id,
    signal: controller.signal,
    async end(drafts) {
      isEnding = true;
      clearTimeout(timer);
      await renewing;
      controller.signal.throwIfAborted();
      try {
        version = await append("ended", drafts, version);
      } catch (error) {
        throw error instanceof TwelveError && error.code === "SESSION_CONFLICT" ? lost(error) : error;
      }
    },
  };
}

/** By then the clocks of two machines do not explain it. */
const certainLeases = 4;
/** Longer than a renewal takes to be seen. */
const watchedLeases = 0.5;

interface Watched {
  readonly nowMs: number;
  /** For how long the claim has been looked at without a change. */
  readonly watchedMs: number;
  readonly leaseMs?: number | undefined;
}

/**
 * Whether its process must have died. Clocks may differ, and a claim that looks run out by them alone is watched for a while before it counts as such.
 * A process that is still there after all loses its claim, and says so.
 */
export function isOver({ heldAtMs }: OpenClaim, { nowMs, watchedMs, leaseMs = usualLeaseMs }: Watched): boolean {
  const ageMs = nowMs - heldAtMs;
  // One whose clock is ahead is not waited for longer than others.
  return ageMs >= certainLeases * leaseMs || watchedMs >= leaseMs || (ageMs >= leaseMs && watchedMs >= watchedLeases * leaseMs);
}

/** Whether it looks run out by its clock, and is worth watching. */
export function looksOver({ heldAtMs }: OpenClaim, nowMs: number, leaseMs: number = usualLeaseMs): boolean {
  return nowMs - heldAtMs >= leaseMs;
}
