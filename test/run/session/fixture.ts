import { randomBytes } from "node:crypto";
import type { Clock } from "../../../src/ports/clock.ts";
import type { ModelRequest } from "../../../src/ports/model.ts";
import type { SessionStore } from "../../../src/ports/session.ts";
import { type ConversationOptions, openConversations } from "../../../src/run/session/conversations.ts";
import type { Answer, AnswerPart, AnswerRequest } from "../../../src/run/schema.ts";
import { openMemorySessions } from "../../helpers/memory-sessions.ts";

/** Real time and chance, with a wall clock that a test can set forward. */
export function movableClock(): Clock & { pass(ms: number): void } {
  let passedMs = 0;
  return {
    now: () => new Date(Date.now() + passedMs),
    monotonicMs: () => performance.now(),
    randomHex: (sizeBytes) => randomBytes(sizeBytes).toString("hex"),
    pass: (ms) => void (passedMs += ms),
  };
}

export const keptAnswer = (text: string, change: Partial<Answer> = {}): Answer => ({
  text, toolCalls: [], finishReason: "stop", usage: { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0 }, reference: "scripted:parrot-1", model: "parrot-1", retrieved: [], citations: [], latencyMs: 1, timeToFirstTokenMs: 1, costUsd: null, ...change,
});

export const key = { user: "/ada", session: "s-1" } as const;

export const turn = (content: string, change: Partial<AnswerRequest> = {}): AnswerRequest & { readonly session: typeof key } => ({ agent: "support", messages: [{ role: "user", content }], variables: {}, isStream: false, traceId: "4bf92f3577b34da6a3ce929d0e0e4736", ...change, session: key });

/** Says how many messages it has seen, and the last of them. */
export async function* counting({ messages }: Pick<ModelRequest, "messages">): AsyncGenerator<AnswerPart> {
  yield { type: "text", text: "saw" };
  yield { type: "end", answer: keptAnswer(`${messages.at(-1)?.content} saw ${messages.length}`) };
}

export function open(store: SessionStore = openMemorySessions(), change: Partial<ConversationOptions> = {}) {
  return openConversations({ app: "demo", environment: "staging", open: () => Promise.resolve(store), clock: movableClock(), ...change });
}

export async function textOf(parts: AsyncIterable<AnswerPart>): Promise<string> {
  const last = (await Array.fromAsync(parts)).at(-1);
  return last?.type === "end" ? last.answer.text : "";
}

/** A store across a network: every call takes a moment, so that others come in between. */
export function slow(store: SessionStore): SessionStore {
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
  return {
    ...store,
    async read(at) {
      await pause();
      const session = await store.read(at);
      await pause();
      return session;
    },
    async append(at, entries, options) {
      await pause();
      const version = await store.append(at, entries, options);
      await pause();
      return version;
    },
  };
}
