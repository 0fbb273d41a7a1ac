import type { ToolCall } from "../../ports/model.ts";
import { mentionsIn } from "../citation.ts";
import type { Answer } from "../schema.ts";
import type { Trace } from "../trace.ts";
import type { Server } from "./api.ts";
import { toCitation } from "./completion.ts";
import type { HttpError } from "./error.ts";
import type { ErrorReply } from "./error-schema.ts";
import type { ResponseRequest } from "./responses-request.ts";
import type { Annotation, FunctionCall, OutputItem, OutputMessage, ResponseObject } from "./responses-schema.ts";

export interface Responding {
  readonly server: Pick<Server, "clock" | "fingerprint">;
  readonly trace: Trace;
  readonly body: ResponseRequest;
  /** The session's name, from the body or a header. */
  readonly conversation: string | undefined;
}

/** An item of the output: the message, or the call at a position among the calls. */
export type OutputPlace = "message" | number;

/** What is made of one request, at each of its stages. */
export interface ResponseMaker {
  started(): ResponseObject;
  /** In the order in which its items were told, where they were. */
  ended(answer: Answer, order?: readonly OutputPlace[]): ResponseObject;
  failed(error: HttpError): ResponseObject;
  /** The message as it is while its text comes. */
  openMessage(): OutputMessage;
  message(answer: Answer): OutputMessage;
  call(call: ToolCall, position: number): FunctionCall;
  /** ID of the item, which is not that of the call. */
  callId(position: number): string;
}

export function responseMaker({ server: { clock, fingerprint }, trace, body, conversation }: Responding): ResponseMaker {
  const key = `${trace.traceId}${trace.spanId}`;
  const seconds = (): number => Math.floor(clock.now().getTime() / 1000);
  const started: ResponseObject = {
    id: `resp_${key}`,
    object: "response",
    created_at: seconds(),
    completed_at: null,
    status: "in_progress",
    error: null,
    incomplete_details: null,
    model: body.model,
    system_fingerprint: fingerprint(),
    output: [],
    output_text: "",
    usage: null,
    ...asAsked(body),
    conversation: conversation === undefined ? null : { id: conversation },
    parallel_tool_calls: body.parallel_tool_calls !== false,
    previous_response_id: null,
    reasoning: { effort: body.reasoning?.effort ?? null, summary: null },
    store: false,
    truncation: "disabled",
    background: false,
  };
  const openMessage = (): OutputMessage => ({ type: "message", id: `msg_${key}`, status: "in_progress", role: "assistant", content: [] });
  const message = (answer: Answer): OutputMessage => ({
    ...openMessage(),
    status: reasonOf(answer) === undefined ? "completed" : "incomplete",
    content: [{ type: "output_text", text: answer.text, annotations: annotationsOf(answer), logprobs: [] }],
    citations: answer.citations.map(toCitation),
  });
  const callId = (position: number): string => `fc_${key}_${position}`;
  const call = ({ id, name, arguments: given }: ToolCall, position: number): FunctionCall => ({ type: "function_call", id: callId(position), status: "completed", call_id: id, name, arguments: given });
  return {
    openMessage,
    message,
    call,
    callId,
    started: () => started,
    ended(answer, order = usualOrder(answer)) {
      const reason = reasonOf(answer);
      const output = order.flatMap((place): readonly OutputItem[] => {
        if (place === "message") return [message(answer)];
        const called = answer.toolCalls[place];
        return called === undefined ? [] : [call(called, place)];
      });
      const stage = reason === undefined ? { status: "completed" as const, completed_at: seconds() } : { status: "incomplete" as const, incomplete_details: { reason } };
      return { ...started, ...stage, output, output_text: answer.text, usage: usageOf(answer) };
    },
    failed: ({ status, body: { error } }) => ({ ...started, status: "failed", error: { code: codeOf(status), message: messageOf(error) } }),
  };
}

/** A model that only calls says nothing, and there is no message without words. */
function usualOrder({ text, toolCalls }: Answer): readonly OutputPlace[] {
  const calls = [...toolCalls.keys()];
  return text === "" && calls.length > 0 ? calls : ["message", ...calls];
}

function asAsked(body: ResponseRequest): Pick<ResponseObject, "instructions" | "max_output_tokens" | "metadata" | "temperature" | "top_p" | "text" | "tools" | "tool_choice" | "user"> {
  return {
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    metadata: body.metadata ?? {},
    temperature: body.temperature ?? null,
    top_p: body.top_p ?? null,
    text: { format: body.text?.format ?? { type: "text" } },
    tools: body.tools ?? [],
    tool_choice: body.tool_choice ?? "auto",
    user: body.user ?? null,
  };
}

function reasonOf({ finishReason }: Answer): "max_output_tokens" | "content_filter" | undefined {
  if (finishReason === "length") return "max_output_tokens";
  return finishReason === "content_filter" ? "content_filter" : undefined;
}

/** The nearest of the few codes that OpenAI has for a response. */
function codeOf(status: number): "server_error" | "rate_limit_exceeded" | "invalid_prompt" {
  if (status === 429) return "rate_limit_exceeded";
  return status < 500 ? "invalid_prompt" : "server_error";
}

/** The error of a response has no place for the trace. */
function messageOf({ message, trace_id }: ErrorReply["error"]): string {
  return message.includes(trace_id) ? message : `${message} (trace ${trace_id})`;
}

export function annotationsOf({ text, retrieved }: Answer): Annotation[] {
  return mentionsIn(text, retrieved).map(({ chunk, at }) => ({ type: "file_citation", file_id: chunk.document, filename: chunk.document, index: at }));
}

function usageOf({ usage: { inputTokens, outputTokens, cachedInputTokens } }: Answer): NonNullable<ResponseObject["usage"]> {
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedInputTokens, cache_write_tokens: 0 },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: inputTokens + outputTokens,
  };
}
