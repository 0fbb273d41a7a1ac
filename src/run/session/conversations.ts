import { eitherOf } from "../../core/abort.ts";
import { type FailureCode, TwelveError } from "../../core/errors.ts";
import { wait } from "../../core/patience.ts";
import type { AgentSettings } from "../../manifest/schema.ts";
import type { Clock } from "../../ports/clock.ts";
import type { SessionKey, SessionStore } from "../../ports/session.ts";
import type { AnswerPart, AnswerRequest } from "../schema.ts";
import type { Log } from "../state/append.ts";
import { ownerName } from "../state/name.ts";
import { hasAnswerOf, type KeptTurn, turnsIn } from "./entry.ts";
import { keepLateTurn, type LateTurn } from "./late-turn.ts";
import { keepOrder } from "./order.ts";
import { beginTurn, type Pace, type Turn } from "./turn.ts";
import { unlessStuck } from "./unless-stuck.ts";

export interface ConversationOptions {
  readonly app: string;
  readonly environment: string;
  readonly open: () => Promise<SessionStore>;
  readonly clock: Clock;
  readonly pace?: Pace & {
    /** How long a turn waits for those before it. */
    readonly waitMs?: number;
  };
}

export interface KeptConversation {
  readonly turns: readonly KeptTurn[];
  readonly expiresAt: Date | null;
}

/** The conversations that a release's processes keep together. Names are the callers'; applications and environments never meet. */
export interface Conversations {
  /** Answers the next turn of a session, with what was said before; the turn is durable before its last part is given. */
  answer(request: AnswerRequest & { readonly session: SessionKey }, settings: AgentSettings["session"], answer: (request: AnswerRequest) => AsyncIterable<AnswerPart>): AsyncIterable<AnswerPart>;
  /** Keeps what a run did after its request had ended. Fails with SESSION_NOT_FOUND, or as the state service does. */
  keepLate(turn: LateTurn, settings: AgentSettings["session"]): Promise<void>;
  /** Whether a turn of the session is that run's answer. */
  hasAnswerOf(run: string, key: SessionKey): Promise<boolean>;
  list(user: string, page?: { readonly after?: string; readonly limit?: number }): ReturnType<SessionStore["list"]>;
  /** Fails with SESSION_NOT_FOUND. */
  read(key: SessionKey): Promise<KeptConversation>;
  /** A turn that is being answered meanwhile fails. False where there was none. */
  delete(key: SessionKey): Promise<boolean>;
}

const usualHistoryTokens = 8000;
const usualKeepDays = 30;
const usualWaitMs = 60_000;
/** Those of this process let those of others go in between. */
const politeMs = 100;

/** What stays wrong with the question itself: it would be refused again with each later turn. */
const refusals: ReadonlySet<FailureCode> = new Set(["REQUEST_INVALID", "PROMPT_INPUT_INVALID", "SERVICE_REJECTED", "SERVICE_FILTERED", "MODEL_UNABLE"]);

export function openConversations({ app, environment, open, clock, pace = {} }: ConversationOptions): Conversations {
  const { waitMs = usualWaitMs } = pace;
  const enter = keepOrder();
  const keyOf = ({ user, session }: SessionKey): SessionKey => ({ user: ownerName("session", { app, environment }, user), session });

  const logOf = async (key: SessionKey, settings: AgentSettings["session"]): Promise<Log> => {
    const { keepDays = usualKeepDays } = typeof settings === "object" ? settings : {};
    return { store: await open(), key: keyOf(key), ttlSeconds: Math.ceil(keepDays * 86_400) };
  };

  async function begin(request: AnswerRequest & { readonly session: SessionKey }, settings: AgentSettings["session"]): Promise<{ readonly turn: Turn; readonly leave: () => void }> {
    const { historyTokens = usualHistoryTokens } = typeof settings === "object" ? settings : {};
    const { session: name } = request.session;
    const log = await logOf(request.session, settings);
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(busy(name, waitMs)), waitMs);
    const { signal, leave: leaveSignals } = eitherOf(request.signal, limit.signal);
    try {
      const { isBehind, leave } = await enter(JSON.stringify(log.key), signal);
      try {
        if (isBehind) await wait(Math.random() * politeMs, signal);
        return { turn: await beginTurn(log, { agent: request.agent, messages: request.messages, historyTokens }, { clock, name, pace, signal }), leave };
      } catch (error) {
        leave();
        throw error;
      }
    } catch (error) {
      throw told(error, name);
    } finally {
      clearTimeout(timer);
      leaveSignals();
    }
  }

  return {
    async *answer(request, settings, answer) {
      const { turn, leave } = await begin(request, settings);
      const { signal, leave: leaveSignals } = eitherOf(request.signal, turn.signal);
      let isOpen = true;
      let run: string | undefined;
      const onRun = (id: string): void => {
        run = id;
        request.onRun?.(id);
      };
      const giveUp = async (outcome: Parameters<Turn["giveUp"]>[0]): Promise<void> => {
        isOpen = false;
        await turn.giveUp(outcome, run);
      };
      try {
        for await (const part of unlessStuck(answer({ ...request, messages: turn.messages, said: request.messages, isTrimmable: true, signal, onRun }), signal)) {
          if (part.type === "end") {
            await turn.keep(part.answer, run);
            isOpen = false;
            leave();
          }
          yield part;
        }
      } catch (error) {
        const isLeft = !(error instanceof TwelveError) && request.signal?.aborted === true;
        if (isOpen) await giveUp(isLeft ? "left" : outcomeOf(error));
        throw told(error, request.session.session);
      } finally {
        // Whoever reads the answer went away between two parts.
        if (isOpen) await giveUp("left");
        leaveSignals();
        leave();
      }
    },
    keepLate: async (turn, settings) => keepLateTurn(await logOf(turn.key, settings), turn, { clock, pace }),
    hasAnswerOf: async (run, key) => hasAnswerOf(run, (await (await open()).read(keyOf(key)))?.entries ?? []),
    list: async (user, page) => (await open()).list(keyOf({ user, session: "" }).user, page),
    async read(key) {
      const session = await (await open()).read(keyOf(key));
      if (session === undefined) throw new TwelveError("SESSION_NOT_FOUND", `There is no session ${JSON.stringify(key.session)}`);
      return { turns: turnsIn(session.entries), expiresAt: session.expiresAt };
    },
    delete: async (key) => (await open()).delete(keyOf(key)),
  };
}

function outcomeOf(error: unknown): "refused" | "waiting" | "failed" {
  if (!(error instanceof TwelveError)) return "failed";
  if (error.code === "APPROVAL_NEEDED") return "waiting";
  return refusals.has(error.code) ? "refused" : "failed";
}

function busy(name: string, waitMs: number): TwelveError {
  return new TwelveError("SESSION_BUSY", `The session ${JSON.stringify(name)} is still being answered; this turn has waited ${waitMs / 1000} s for it`, { retry: { afterMs: null } });
}

/** Stores speak of names under which they keep things; callers know their own. */
function told(error: unknown, name: string): unknown {
  if (!(error instanceof TwelveError) || error.code !== "SESSION_TOO_LARGE") return error;
  return new TwelveError("SESSION_TOO_LARGE", `The session ${JSON.stringify(name)} cannot take this turn: it is as large as the state service lets a session be`, { cause: error });
}
