import type { CallPart, ToolCall } from "../../ports/model.ts";
import type { RetrievedChunk } from "../../retrieval/schema.ts";
import type { Answer } from "../schema.ts";
import type { Trace } from "../trace.ts";
import type { Server } from "./api.ts";
import type { Wording } from "./asking.ts";
import type { ChatChunk, ChatCompletion, Citation } from "./chat-schema.ts";
import type { ChatRequest } from "./request.ts";
import { toldCalls } from "./told-calls.ts";

type Choice = ChatChunk["choices"][number];

interface Chat {
  readonly server: Pick<Server, "clock" | "fingerprint">;
  readonly trace: Trace;
  readonly body: Pick<ChatRequest, "model" | "stream_options">;
}

/** An answer as `chat.completion`, or as `chat.completion.chunk`s. */
export function chatWording({ server, trace, body }: Chat): Wording {
  const head = { id: `chatcmpl-${trace.traceId}${trace.spanId}`, created: Math.floor(server.clock.now().getTime() / 1000), model: body.model, system_fingerprint: server.fingerprint() };
  const hasUsage = body.stream_options?.include_usage === true;
  const chunkOf = (choices: readonly Choice[], usage: ChatChunk["usage"] = null): ChatChunk => ({ ...head, object: "chat.completion.chunk", choices: [...choices], ...(hasUsage ? { usage } : {}) });
  const speak = (delta: Choice["delta"], finish: Choice["finish_reason"] = null): string => eventOf(chunkOf([{ index: 0, delta, logprobs: null, finish_reason: finish }]));
  const told = toldCalls();
  return {
    whole: (answer): ChatCompletion => ({
      ...head,
      object: "chat.completion",
      choices: [{ index: 0, message: messageOf(answer), logprobs: null, finish_reason: answer.finishReason }],
      usage: usageOf(answer),
    }),
    opening: () => speak({ role: "assistant", content: "", refusal: null }),
    text: (content) => speak({ content }),
    call(part) {
      told.add(part);
      return speak({ tool_calls: [toDelta(part)] });
    },
    closing(answer) {
      const calls = told.rest(answer.toolCalls).map((part) => speak({ tool_calls: [toDelta(part)] }));
      const end = speak({ citations: answer.citations.map(toCitation) }, answer.finishReason);
      return [...calls, end, ...(hasUsage ? [eventOf(chunkOf([], usageOf(answer)))] : []), "data: [DONE]\n\n"].join("");
    },
    failure: ({ body: error }) => eventOf(error),
  };
}

function eventOf(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

function messageOf({ text, toolCalls, citations }: Answer): ChatCompletion["choices"][number]["message"] {
  const calls = toolCalls.map(toToolCall);
  return { role: "assistant", content: calls.length > 0 && text === "" ? null : text, refusal: null, ...(calls.length === 0 ? {} : { tool_calls: calls }), citations: citations.map(toCitation) };
}

function toToolCall({ id, name, arguments: given }: ToolCall): { id: string; type: "function"; function: { name: string; arguments: string } } {
  return { id, type: "function", function: { name, arguments: given } };
}

function toDelta({ position: index, begun, arguments: piece }: CallPart): NonNullable<Choice["delta"]["tool_calls"]>[number] {
  return begun === undefined ? { index, function: { arguments: piece } } : { index, ...toToolCall({ ...begun, arguments: piece }) };
}

function usageOf({ usage: { inputTokens, outputTokens, cachedInputTokens } }: Answer): ChatCompletion["usage"] {
  return { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens, prompt_tokens_details: { cached_tokens: cachedInputTokens } };
}

export function toCitation({ number, document, headings, id, score }: RetrievedChunk): Citation {
  return { number, document, headings, chunk: id, score };
}
