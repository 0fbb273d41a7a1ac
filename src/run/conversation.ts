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

/** The caller's instructions follow the prompt's own, so that they can add to these but stand behind them. */
export function addInstructions(prompt: readonly Message[], { system }: Conversation): readonly Message[] {
  const firstOther = prompt.findIndex(({ role }) => role !== "system");
  return prompt.toSpliced(firstOther === -1 ? prompt.length : firstOther, 0, ...system);
}
