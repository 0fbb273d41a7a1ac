import { TwelveError } from "../../core/errors.ts";
import { countTokens } from "../../core/tokens.ts";
import type { Message } from "../../ports/model.ts";
import type { KeptTurn } from "./entry.ts";

/** What of a conversation counts for what comes next: whole turns, each with all its messages. */
interface Said {
  readonly messages: readonly Message[];
  readonly isAnswered: boolean;
}

/** What most models take for an image, within a factor of two. */
const tokensPerImage = 1000;

/**
 * The conversation that the model is given: as many of the newest turns as fit into the budget, then the new turn. A turn is kept or left out as a
 * whole, and results of tools go with the question that they serve. Fails with REQUEST_INVALID for a new turn that cannot be one.
 */
export function continueConversation(turns: readonly KeptTurn[], messages: readonly Message[], historyTokens: number): readonly Message[] {
  const spoken = messages.filter(({ role }) => role !== "system");
  if (spoken.some(({ role }) => role === "assistant")) {
    throw new TwelveError("REQUEST_INVALID", "messages holds an assistant's message; a request that names a session sends only what is new, since the earlier turns are kept", { fix: "Send the new message alone, or leave the session out" });
  }
  if (spoken.length === 0) throw new TwelveError("REQUEST_INVALID", "messages has no user message");
  const said: Said[] = [];
  const answered = new Set(turns.flatMap(({ outcome, run }) => (outcome === "answered" && run !== undefined ? [run] : [])));
  const isAnsweredLater = ({ outcome, run }: KeptTurn): boolean => outcome !== "answered" && run !== undefined && answered.has(run);
  for (const turn of turns) if (turn.outcome !== "refused" && turn.messages.length > 0 && !isAnsweredLater(turn)) push(said, { messages: turn.messages, isAnswered: turn.outcome === "answered" });
  push(said, { messages: spoken, isAnswered: false });
  const questions = byQuestion(said);
  const current = questions.at(-1) ?? [];
  checkResults(current, spoken);
  const instructions = messages.filter(({ role }) => role === "system");
  const earlier = newest(questions.slice(0, -1).map((question) => withoutOpenCalls(question.flatMap((each) => each.messages))), historyTokens);
  return [...instructions, ...earlier.flat(), ...current.flatMap((each) => each.messages)];
}

/** What got no answer is left out where it was said again, and where results of tools came again. */
function push(said: Said[], next: Said): void {
  const isSuperseded = (before: Said): boolean => !before.isAnswered && (next.messages[0]?.role === "tool" || isRepeated(before, next));
  said.splice(said.findLastIndex((before) => !isSuperseded(before)) + 1);
  said.push(next);
}

function isRepeated({ messages: before }: Said, { messages: after }: Said): boolean {
  return before.length <= after.length && before.every((message, index) => JSON.stringify(message) === JSON.stringify(after[index]));
}

/** A question with everything up to the next one. */
function byQuestion(said: readonly Said[]): readonly (readonly Said[])[] {
  const questions: Said[][] = [];
  for (const each of said) {
    const last = questions.at(-1);
    if (last === undefined || each.messages[0]?.role !== "tool") questions.push([each]);
    else last.push(each);
  }
  return questions;
}

/** Providers refuse results that nobody asked for, and calls without their results. */
function checkResults(current: readonly Said[], spoken: readonly Message[]): void {
  const results = spoken.flatMap(({ role, toolCallId }) => (role === "tool" ? [toolCallId ?? ""] : []));
  if (results.length === 0) return;
  const open = (current.at(-2)?.messages.at(-1)?.toolCalls ?? []).map(({ id }) => id);
  const unknown = results.find((id) => !open.includes(id));
  if (unknown !== undefined) throw new TwelveError("REQUEST_INVALID", `The result of the tool call ${JSON.stringify(unknown)} answers no call of the conversation's last turn${open.length === 0 ? ", which has none" : `: ${open.join(", ")}`}`);
  const missing = open.find((id) => !results.includes(id));
  if (missing !== undefined) throw new TwelveError("REQUEST_INVALID", `The tool call ${JSON.stringify(missing)} has no result; all results of a turn are sent together`);
}

/** Calls that never got their results are left out: no model is asked to go on without them. */
function withoutOpenCalls(messages: readonly Message[]): readonly Message[] {
  return messages.flatMap((message, index): readonly Message[] => {
    const { toolCalls, ...rest } = message;
    if (toolCalls === undefined) return [message];
    const results = new Set(messages.slice(index + 1, index + 1 + toolCalls.length).map(({ toolCallId }) => toolCallId));
    if (toolCalls.every(({ id }) => results.has(id))) return [message];
    return rest.content.trim() === "" ? [] : [rest];
  });
}

/** The newest of the questions that fit together; nothing in between is left out. */
export function newest(questions: readonly (readonly Message[])[], historyTokens: number): readonly (readonly Message[])[] {
  let left = historyTokens;
  const first = questions.findLastIndex((messages) => (left -= messages.reduce((sum, message) => sum + tokensOf(message), 0)) < 0);
  return questions.slice(first + 1);
}

/** An estimate of what a model takes for it. */
export function tokensOf({ content, images = [], toolCalls = [] }: Message): number {
  return countTokens(content) + images.length * tokensPerImage + toolCalls.reduce((sum, call) => sum + countTokens(call.name) + countTokens(call.arguments), 0);
}
