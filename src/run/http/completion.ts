import type { ToolCall } from "../../ports/model.ts";
import type { RetrievedChunk } from "../../retrieval/schema.ts";
import type { Answer } from "../schema.ts";

/** What all parts of one completion share. */
export interface CompletionFrame {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** The agent's name, as the caller gave it. */
  readonly model: string;
  /** Names the release: it changes whenever the answers may. */
  readonly system_fingerprint: string;
}

/** A passage that the answer cites; an extra field that clients of other servers do not look at. */
interface Citation {
  readonly number: number;
  readonly document: string;
  readonly headings: string;
  readonly chunk: string;
  readonly score: number;
}

/** A `chat.completion`: the whole answer at once. */
export function completion(frame: CompletionFrame, answer: Answer): object {
  const calls = answer.toolCalls.map(toToolCall);
  const content = calls.length > 0 && answer.text === "" ? null : answer.text;
  const message = { role: "assistant", content, refusal: null, ...(calls.length === 0 ? {} : { tool_calls: calls }), citations: answer.citations.map(toCitation) };
  return {
    id: frame.id,
    object: "chat.completion",
    created: frame.created,
    model: frame.model,
    system_fingerprint: frame.system_fingerprint,
    choices: [{ index: 0, message, logprobs: null, finish_reason: answer.finishReason }],
    usage: usageOf(answer),
  };
}

/** Makes the `chat.completion.chunk`s of one streamed answer. */
export interface ChunkMaker {
  /** Says who speaks; stands before all text. */
  opening(): object;
  text(text: string): object;
  /** Why the answer ended, with its citations. */
  closing(answer: Answer): object;
  /** The tokens, where the caller asked for them; stands last. */
  usage(answer: Answer): object;
}

export function chunkMaker({ id, created, model, system_fingerprint }: CompletionFrame, hasUsage: boolean): ChunkMaker {
  const head = { id, object: "chat.completion.chunk", created, model, system_fingerprint };
  const tail = hasUsage ? { usage: null } : {};
  const choice = (delta: object, finish_reason: string | null): object => ({ ...head, choices: [{ index: 0, delta, logprobs: null, finish_reason }], ...tail });
  return {
    opening: () => choice({ role: "assistant", content: "", refusal: null }, null),
    text: (content) => choice({ content }, null),
    closing: (answer) => choice({ ...callsIn(answer), citations: answer.citations.map(toCitation) }, answer.finishReason),
    usage: (answer) => ({ ...head, choices: [], usage: usageOf(answer) }),
  };
}

function callsIn({ toolCalls }: Answer): object {
  return toolCalls.length === 0 ? {} : { tool_calls: toolCalls.map((call, index) => ({ index, ...toToolCall(call) })) };
}

function toToolCall({ id, name, arguments: given }: ToolCall): object {
  return { id, type: "function", function: { name, arguments: given } };
}

function usageOf({ usage: { inputTokens, outputTokens, cachedInputTokens } }: Answer): object {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cachedInputTokens },
  };
}

function toCitation({ number, document, headings, id, score }: RetrievedChunk): Citation {
  return { number, document, headings, chunk: id, score };
}
