import { TwelveError } from "../core/errors.ts";
import type { Image, Message } from "../ports/model.ts";

/** A conversation as a prompt takes it up. */
export interface Conversation {
  /** The last message of the user. */
  readonly question: string;
  /** Who asks, of several participants. */
  readonly name?: string;
  /** Images that come with the question. */
  readonly images?: readonly Image[];
  /** What the caller adds to the prompt's own instructions. */
  readonly system: readonly Message[];
  /** The turns before the question. */
  readonly history: readonly Message[];
  /** What has been done about the question so far: calls of tools, and their results. */
  readonly after?: readonly Message[];
}

/** Fails with REQUEST_INVALID when there is no question to answer. */
export function readConversation(messages: readonly Message[]): Conversation {
  const last = messages.at(-1);
  if (last === undefined) throw new TwelveError("REQUEST_INVALID", "messages is empty; at least one user message is needed");
  if (last.role !== "user" && last.role !== "tool") throw new TwelveError("REQUEST_INVALID", `The last message has the role ${last.role}; it must be the user's question, or the result of a tool`);
  const spoken = messages.filter(({ role }) => role !== "system");
  const at = spoken.findLastIndex(({ role }) => role === "user");
  const question = spoken[at];
  if (question === undefined) throw new TwelveError("REQUEST_INVALID", "messages has no user message");
  if (question.content.trim() === "" && question.images === undefined) throw new TwelveError("REQUEST_INVALID", "The last message is empty; it must hold the user's question");
  const after = spoken.slice(at + 1);
  return {
    question: question.content,
    ...(question.name === undefined ? {} : { name: question.name }),
    ...(question.images === undefined ? {} : { images: question.images }),
    system: messages.filter(({ role }) => role === "system"),
    history: spoken.slice(0, at),
    ...(after.length === 0 ? {} : { after }),
  };
}

/** The caller's instructions follow the prompt's own, so that they can add to these but stand behind them. */
export function addInstructions(prompt: readonly Message[], { system }: Conversation): readonly Message[] {
  const firstOther = prompt.findIndex(({ role }) => role !== "system");
  return prompt.toSpliced(firstOther === -1 ? prompt.length : firstOther, 0, ...system);
}
