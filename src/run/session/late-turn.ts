import { TwelveError } from "../../core/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Message } from "../../ports/model.ts";
import type { SessionKey } from "../../ports/session.ts";
import type { Answer } from "../schema.ts";
import type { Log } from "../state/append.ts";
import { claim } from "../state/claim.ts";
import { answerDrafts, hasAnswerOf, ofRun, questionDrafts } from "./entry.ts";
import { freeSessions, type Pace } from "./turn.ts";

/** What a run has done that went on after its request had ended, such as behind an approval. */
export interface LateTurn {
  readonly key: SessionKey;
  readonly agent: string;
  readonly run: string;
  /** What was asked. */
  readonly messages: readonly Message[];
  readonly answer: Answer;
  readonly signal: AbortSignal;
}

/**
 * Appends question and answer as a turn of their own where the conversation stands now, behind the turn that is being answered. Once for each run, however
 * often it is asked. Fails with SESSION_NOT_FOUND where the conversation is gone, which it does not bring back.
 */
export async function keepLateTurn(log: Log, { key: { session: name }, agent, run, messages, answer, signal }: LateTurn, { clock, pace }: { readonly clock: Clock; readonly pace: Pace }): Promise<void> {
  const lost = (cause: TwelveError): TwelveError => new TwelveError("SESSION_CONFLICT", "Another process took the session over", { cause });
  for await (const session of freeSessions(log, { clock, pace, signal })) {
    if (session === undefined) throw new TwelveError("SESSION_NOT_FOUND", `The session ${JSON.stringify(name)} is gone, and nothing is kept of it`);
    if (hasAnswerOf(run, session.entries)) return;
    try {
      const claimed = await claim(log, session.version, questionDrafts(messages, agent), { clock, ...pace, lost });
      await claimed.end(ofRun(answerDrafts(answer, agent), run));
      return;
    } catch (error) {
      // Somebody was faster: the conversation is looked at again.
      if (!(error instanceof TwelveError && error.code === "SESSION_CONFLICT")) throw error;
    }
  }
}
