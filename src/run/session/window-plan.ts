import { countTokens } from "../../core/tokens.ts";
import type { AgentSettings } from "../../manifest/schema.ts";
import type { Message, Tool } from "../../ports/model.ts";
import { newest, tokensOf } from "./history-plan.ts";

/** Tokens are estimated, and models count up to about 15% more. */
const usableShare = 0.85;
/** Left for an answer whose length nobody limits; of a small window, a quarter. */
const usualAnswerTokens = 4096;

/** How much of a conversation is read for a window: what certainly does not fit is left behind before anything else is known. */
export function withWindow(session: AgentSettings["session"], contextTokens: number | undefined): AgentSettings["session"] {
  if (session === false || contextTokens === undefined) return session;
  const settings = session === true ? {} : session;
  return { ...settings, historyTokens: Math.min(settings.historyTokens ?? Number.POSITIVE_INFINITY, usableTokens(contextTokens)) };
}

export interface Window {
  /** Of the models, for what they are sent and what they answer together. */
  readonly contextTokens: number;
  /** Longest answer, where it is known. */
  readonly maxTokens: number | undefined;
  readonly tools: readonly Tool[] | undefined;
}

/**
 * The messages without as many of the oldest turns as it takes to fit them into the window: the answer, the prompt, what was retrieved, the tools and the new
 * turn come first, and the newest turns take what is left. `history` are those of the messages that may go, in their order.
 */
export function fitToWindow(messages: readonly Message[], history: readonly Message[], { contextTokens, maxTokens = Math.min(usualAnswerTokens, contextTokens / 4), tools = [] }: Window): readonly Message[] {
  if (history.length === 0) return messages;
  const earlier = new Set(history);
  const others = messages.filter((message) => !earlier.has(message)).reduce((sum, message) => sum + tokensOf(message), 0);
  const described = tools.reduce((sum, tool) => sum + countTokens(JSON.stringify(tool)), 0);
  const kept = new Set(newest(byQuestion(history), usableTokens(contextTokens) - maxTokens - others - described).flat());
  return messages.filter((message) => !earlier.has(message) || kept.has(message));
}

function usableTokens(contextTokens: number): number {
  return Math.floor(contextTokens * usableShare);
}

/** Each question with everything up to the next one. */
function byQuestion(history: readonly Message[]): readonly (readonly Message[])[] {
  const questions: Message[][] = [];
  for (const message of history) {
    const last = questions.at(-1);
    if (last === undefined || message.role === "user") questions.push([message]);
    else last.push(message);
  }
  return questions;
}
