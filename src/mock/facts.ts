import { createHash } from "node:crypto";
import { scrub } from "../core/scrub.ts";
import type { Message, ModelRequest } from "../ports/model.ts";
import { questionOf } from "./words.ts";

/** What a reply may depend on. */
export interface Facts {
  readonly agent: string | undefined;
  readonly question: string;
  /** 1 for the first answer of a conversation. */
  readonly turn: number;
  /** Which of the answers to the last user message is wanted, from 1. */
  readonly step: number;
  /** The tool whose result came last. */
  readonly tool: string | undefined;
  readonly result: string | undefined;
  readonly earlier: string;
}

export function factsOf({ agent, messages, earlier, question }: Pick<ModelRequest, "agent" | "question" | "earlier" | "messages">): Facts {
  const asked = messages.findLastIndex(({ role }) => role === "user");
  const last = messages.at(-1);
  const before = earlier ?? messages.slice(0, Math.max(asked, 0));
  const step = turnOf(messages.slice(asked + 1));
  return {
    agent,
    question: questionOf({ messages, ...(question === undefined ? {} : { question }) }),
    // Examples in a prompt are no turns.
    turn: turnOf(before) + step - 1,
    step,
    tool: lastTool(messages),
    result: last?.role === "tool" ? last.content : undefined,
    earlier: digestOfEarlier(before),
  };
}

function turnOf(messages: readonly Message[]): number {
  return messages.filter(({ role }) => role === "assistant").length + 1;
}

/** Of what was said without personal data, by whom, and what was called; IDs differ from one time to the next, and instructions are nobody's words. */
function digestOfEarlier(messages: readonly Message[]): string {
  const said = messages.flatMap(({ role, content, toolCalls = [] }) => (role === "system" ? [] : [[role, scrub(content), ...toolCalls.map((call) => [call.name, scrub(call.arguments)])]]));
  return createHash("sha256").update(JSON.stringify(said)).digest("hex").slice(0, 12);
}

function lastTool(messages: readonly Message[]): string | undefined {
  const last = messages.at(-1);
  if (last?.role !== "tool") return undefined;
  return messages.flatMap(({ toolCalls = [] }) => toolCalls).findLast(({ id }) => id === last.toolCallId)?.name;
}
