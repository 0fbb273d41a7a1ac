import { inTime } from "../../core/deadline.ts";
import { TwelveError } from "../../core/errors.ts";
import { wait } from "../../core/patience.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Message } from "../../ports/model.ts";
import type { Session } from "../../ports/session.ts";
import { readConversation } from "../conversation.ts";
import type { Answer } from "../schema.ts";
import type { Log } from "../state/append.ts";
import { claim, isOver } from "../state/claim.ts";
import { openClaim } from "../state/mark.ts";
import { answerDrafts, endingDraft, ofRun, questionDrafts, turnsIn } from "./entry.ts";
import { continueConversation } from "./history-plan.ts";

/** How long turns of one session wait for each other. */
export interface Pace {
  readonly leaseMs?: number;
  readonly renewMs?: number;
  readonly firstPauseMs?: number;
  readonly longestPauseMs?: number;
}

const usualFirstPauseMs = 50;
const usualLongestPauseMs = 1000;
/** Whoever waits for the failure is not kept longer than this by the note of it. */
const farewellMs = 1000;

export interface NewTurn {
  readonly agent: string;
  /** What is new. */
  readonly messages: readonly Message[];
  readonly historyTokens: number;
}

/** A turn that is being answered; nobody else begins one of the same session meanwhile. */
export interface Turn {
  /** The conversation up to here and the new turn, as the model is given it. */
  readonly messages: readonly Message[];
  /** Aborted when another process took the session over. */
  readonly signal: AbortSignal;
  /** Keeps the answer, of that run where an agent with tools gave it; it is durable when this returns. */
  keep(answer: Answer, run: string | undefined): Promise<void>;
  /** Leaves the question without an answer and lets the next turn begin. Never fails: where the note cannot be written, the claim runs out. */
  giveUp(outcome: Parameters<typeof endingDraft>[0], run: string | undefined): Promise<void>;
}

interface Beginning {
  readonly clock: Clock;
  /** The name that the caller gave, for messages. */
  readonly name: string;
  readonly pace: Pace;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/**
 * Begins a turn when the one before has ended, or its process has died: then the question is durable, and stands in the session as the claim
 * to be answered next. Of several processes exactly one goes first; the others wait.
 */
export async function beginTurn(log: Log, { agent, messages, historyTokens }: NewTurn, { clock, name, pace, signal }: Beginning): Promise<Turn> {
  const lost = (cause: TwelveError): TwelveError =>
    new TwelveError("SESSION_CONFLICT", `The session ${JSON.stringify(name)} was deleted, or another process took it over, while this turn was being answered`, { cause, retry: { afterMs: null }, fix: "Ask again" });
  for await (const session of freeSessions(log, { clock, pace, signal })) {
    const conversation = continueConversation(turnsIn(session?.entries ?? []), messages, historyTokens);
    // What cannot be answered is refused before anything of it is kept.
    readConversation(conversation);
    try {
      const claimed = await claim(log, session?.version ?? 0, questionDrafts(messages, agent), { clock, ...pace, lost });
      return {
        messages: conversation,
        signal: claimed.signal,
        keep: (answer, run) => claimed.end(ofRun(answerDrafts(answer, agent), run)),
        giveUp: (outcome, run) => inTime(() => claimed.end(ofRun([endingDraft(outcome)], run)), { limitMs: farewellMs, who: log.store.url }).catch(() => {}),
      };
    } catch (error) {
      // Somebody was faster.
      if (!(error instanceof TwelveError && error.code === "SESSION_CONFLICT")) throw error;
    }
  }
  throw new Error("A session is looked at until it is free");
}

/** The session each time that it looks free: no turn is open, or its process has died. */
export async function* freeSessions({ store, key }: Log, { clock, pace, signal }: Pick<Beginning, "clock" | "pace" | "signal">): AsyncGenerator<Session | undefined> {
  const { leaseMs, firstPauseMs = usualFirstPauseMs, longestPauseMs = usualLongestPauseMs } = pace;
  let seen = { version: -1, sinceMs: 0 };
  let pauseMs = firstPauseMs;
  for (;;) {
    signal.throwIfAborted();
    const session = await store.read(key);
    const version = session?.version ?? 0;
    const nowMs = clock.monotonicMs();
    // Something happens: the next change may come soon.
    if (version !== seen.version) [seen, pauseMs] = [{ version, sinceMs: nowMs }, firstPauseMs];
    const open = openClaim(session);
    if (open === undefined || isOver(open, { nowMs: clock.now().getTime(), watchedMs: nowMs - seen.sinceMs, leaseMs })) yield session;
    await wait(pauseMs * (0.5 + Math.random() / 2), signal);
    pauseMs = Math.min(longestPauseMs, pauseMs * 1.5);
  }
}
