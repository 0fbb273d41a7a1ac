import { TwelveError } from "../core/errors.ts";
import type { Message } from "../ports/model.ts";

/** A conversation as a prompt takes it up. */
export interface Conversation {
  /** The last message, which is the user's. */
  readonly question: string;
  /** What the caller adds to the prompt's own instructions. */
  readonly system: readonly Message[];
  /** The turns before the question. */
  readonly history: readonly Message[];
}

/** Fails with REQUEST_INVALID when there is no question to answer. */
export function readConversation(messages: readonly Message[]): Conversation {
  const last = messages.at(-1);
  if (last === undefined) throw new TwelveError("REQUEST_INVALID", "messages is empty; at least one user message is needed");
  if (last.role !== "user") throw new TwelveError("REQUEST_INVALID", `The last message has the role ${last.role}; it must be the user's question`);
  if (last.content.trim() === "") throw new TwelveError("REQUEST_INVALID", "The last message is empty; it must hold the user's question");
  const earlier = messages.slice(0, -1);
  return {
    question: last.content,
    system: earlier.filter(({ role }) => role === "system"),
    history: earlier.filter(({ role }) => role !== "system"),
  };
}

/**
 * Adds what the caller said to a rendered prompt. The caller's instructions follow the prompt's own. Earlier turns stand
 * before the last user message, unless the template has placed them itself.
 */
export function joinConversation(prompt: readonly Message[], { system, history }: Conversation, isHistoryPlaced: boolean): readonly Message[] {
  const firstOther = prompt.findIndex(({ role }) => role !== "system");
  const instructionsEnd = firstOther === -1 ? prompt.length : firstOther;
  const joined = [...prompt.slice(0, instructionsEnd), ...system, ...prompt.slice(instructionsEnd)];
  if (isHistoryPlaced || history.length === 0) return joined;
  const lastUser = joined.findLastIndex(({ role }) => role === "user");
  return joined.toSpliced(lastUser === -1 ? joined.length : lastUser, 0, ...history);
}
