import { z } from "zod";
import type { Json } from "../../core/canonical-json.ts";
import type { Message, ToolCall } from "../../ports/model.ts";
import type { SessionEntry } from "../../ports/session.ts";
import type { Answer } from "../schema.ts";
import type { Draft } from "../state/claim.ts";
import { markOf } from "../state/mark.ts";

/**
 * How a turn ended. `failed`, `left` (the client went away), `lost` (its process died) and `waiting` (for an approval: the answer is a turn of its
 * own, later) leave the question in the conversation without an answer; one that was `refused` is no part of it: it would be refused with each later turn, too.
 */
export const outcomes = ["answered", "failed", "left", "refused", "waiting", "lost", "running"] as const;
export type Outcome = (typeof outcomes)[number];

/** A turn as it was kept: what was said to the agent, and what it answered. */
export interface KeptTurn {
  readonly id: string;
  readonly at: string;
  readonly agent: string | null;
  readonly outcome: Outcome;
  /** The run that answered it, or goes on with it, where the agent has tools. */
  readonly run?: string;
  readonly messages: readonly Message[];
  /** Of the answer, for people; a model is not given them again. */
  readonly citations: readonly KeptCitation[];
}

const KeptCitation = z.object({ number: z.int(), document: z.string(), headings: z.string(), chunk: z.string(), score: z.number() });
export type KeptCitation = z.infer<typeof KeptCitation>;

const KeptImage = z.object({ url: z.string(), detail: z.enum(["low", "high"]).optional().catch(undefined) }).transform(({ url, detail }) => ({ url, ...(detail === undefined ? {} : { detail }) }));

/** What stands in `data` beside the claim. An entry is read as far as it can be understood: another version may have written it. */
const Details = z.object({
  agent: z.string().optional().catch(undefined),
  outcome: z.enum(outcomes).optional().catch(undefined),
  run: z.string().optional().catch(undefined),
  name: z.string().optional().catch(undefined),
  images: z.array(KeptImage).optional().catch(undefined),
  toolCalls: z.array(z.object({ id: z.string(), name: z.string(), arguments: z.string() })).optional().catch(undefined),
  toolCallId: z.string().optional().catch(undefined),
  isError: z.boolean().optional().catch(undefined),
  citations: z.array(KeptCitation).optional().catch(undefined),
});

/** What is said to an agent in one turn; instructions are for that turn alone, and not kept. */
export function questionDrafts(messages: readonly Message[], agent: string): readonly Draft[] {
  return messages.filter(({ role }) => role !== "system").map((message) => messageDraft(message, agent));
}

function messageDraft({ role, content, name, images, toolCalls, toolCallId, isError }: Message, agent: string): Draft {
  return {
    role,
    content,
    data: {
      agent,
      ...(name === undefined ? {} : { name }),
      ...(images === undefined ? {} : { images: images.map(({ url, detail }) => ({ url, ...(detail === undefined ? {} : { detail }) })) }),
      ...(toolCalls === undefined ? {} : { toolCalls: callsOf(toolCalls) }),
      ...(toolCallId === undefined ? {} : { toolCallId }),
      ...(isError === undefined ? {} : { isError }),
    },
  };
}

/** An agent with tools has called them on its way: calls and results are part of what it said, and the answer stands last. */
export function answerDrafts(answer: Answer, agent: string): readonly Draft[] {
  const { made = [] } = answer;
  const last = made.at(-1);
  const isAnswer = last?.role === "assistant" && last.toolCalls === undefined;
  const steps = isAnswer ? made.slice(0, -1) : made;
  return [...steps.map((message) => messageDraft(message, agent)), answerDraft(isAnswer ? { ...answer, text: last.content } : answer, agent)];
}

function callsOf(calls: readonly ToolCall[]): Json[] {
  return calls.map(({ id, name, arguments: given }) => ({ id, name, arguments: given }));
}

function answerDraft({ text, toolCalls, citations, model, finishReason, usage }: Answer, agent: string): Draft {
  return {
    role: "assistant",
    content: text,
    data: {
      agent,
      outcome: "answered",
      model,
      finishReason,
      usage: { ...usage },
      ...(toolCalls.length === 0 ? {} : { toolCalls: callsOf(toolCalls) }),
      ...(citations.length === 0 ? {} : { citations: citations.map(({ number, document, headings, id, score }) => ({ number, document, headings, chunk: id, score })) }),
    },
  };
}

/** In the place of an answer that there is none of. */
export function endingDraft(outcome: Exclude<Outcome, "answered" | "lost" | "running">): Draft {
  return { role: "system", content: "", data: { outcome } };
}

/** The same, as a run's. */
export function ofRun(drafts: readonly Draft[], run: string | undefined): readonly Draft[] {
  return run === undefined ? drafts : drafts.map((draft) => ({ ...draft, data: { ...draft.data, run } }));
}

/** Whether one of the turns is the answer of that run. */
export function hasAnswerOf(run: string, entries: readonly SessionEntry[]): boolean {
  return turnsIn(entries).some((turn) => turn.run === run && turn.outcome === "answered");
}

type Open<T> = { -readonly [Key in keyof T]: T[Key] };

/** The turns of a session, in their order. What was appended without a claim is nothing of ours. */
export function turnsIn(entries: readonly SessionEntry[]): readonly KeptTurn[] {
  const turns: (Open<Omit<KeptTurn, "messages">> & { readonly messages: Message[] })[] = [];
  for (const entry of entries) {
    const mark = markOf(entry);
    if (mark === undefined || mark.step === "held") continue;
    const { agent, outcome, run, citations, ...details } = Details.parse(entry.data);
    if (mark.step === "begun" && turns.at(-1)?.id !== mark.id) turns.push({ id: mark.id, at: entry.at, agent: agent ?? null, outcome: "running", messages: [], citations: [] });
    const turn = turns.at(-1);
    if (turn?.id !== mark.id) continue;
    if (mark.step === "ended") Object.assign(turn, { outcome: outcome ?? "failed", citations: citations ?? [], ...(run === undefined ? {} : { run }) });
    if (entry.role !== "system") turn.messages.push({ role: entry.role, content: entry.content, ...withoutNothing(details) });
  }
  return turns.map((turn, index) => (turn.outcome === "running" && index < turns.length - 1 ? { ...turn, outcome: "lost" } : turn));
}

type Given<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function withoutNothing<T extends object>(details: T): Given<T> {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined)) as Given<T>;
}
