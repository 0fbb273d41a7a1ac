import { z } from "zod";
import type { Session, SessionEntry } from "../../ports/session.ts";

/** What an entry says about the claim that it was appended under. */
const Mark = z.strictObject({
  id: z.string(),
  /** `begun` opens the claim, `held` prolongs its lease and says nothing else, `ended` closes it. */
  step: z.enum(["begun", "held", "ended"]),
  /** Which of the claim's entries it is, so that each can be found again. */
  number: z.int(),
});
export type Mark = z.infer<typeof Mark>;
const Marked = z.object({ claim: Mark });

/** Undefined for an entry that was appended without a claim. */
export function markOf({ data }: SessionEntry): Mark | undefined {
  const read = Marked.safeParse(data);
  return read.success ? read.data.claim : undefined;
}

export interface OpenClaim {
  readonly id: string;
  /** When it was begun or last prolonged, by the clock of its process. */
  readonly heldAtMs: number;
}

/** The claim that nobody has ended: behind one stand only entries of its own, or the next claim, so the last entry decides. */
export function openClaim(session: Session | undefined): OpenClaim | undefined {
  const last = session?.entries.at(-1);
  const mark = last === undefined ? undefined : markOf(last);
  return last === undefined || mark === undefined || mark.step === "ended" ? undefined : { id: mark.id, heldAtMs: Date.parse(last.at) };
}
