/** Chat completions as OpenAI answers them on the wire. */
import type { Message, ToolCall, ToolChoice } from "../../src/ports/model.ts";
import { type FailureKind, type ReceivedRequest, scriptedId, scriptedUsage, type UpstreamReply } from "../ports/model-upstream.ts";
import { type ChatDialect, type ChatEvent, inPieces } from "./chat-dialect.ts";

const created = 1_790_000_000;

interface WireMessage {
  readonly role: Message["role"];
  readonly content: string | null | readonly { readonly type: string; readonly text?: string; readonly image_url?: { readonly url: string } }[];
  readonly tool_calls?: readonly { readonly id: string; readonly function: { readonly name: string; readonly arguments: string } }[];
  readonly tool_call_id?: string;
}

interface WireRequest {
  readonly messages: readonly WireMessage[];
  readonly tools?: readonly { readonly function: { readonly name: string; readonly description?: string; readonly parameters: Record<string, never> } }[];
  readonly tool_choice?: "auto" | "none" | "required" | { readonly function: { readonly name: string } };
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly stop?: readonly string[];
}

const errors: Readonly<Record<Exclude<FailureKind, "garbage">, readonly [status: number, type: string, code: string | null]>> = {
  unauthenticated: [401, "invalid_request_error", "invalid_api_key"], denied: [403, "invalid_request_error", "model_not_allowed"], notFound: [404, "invalid_request_error", "model_not_found"],
  limited: [429, "requests", "rate_limit_exceeded"], quota: [429, "insufficient_quota", "insufficient_quota"], rejected: [400, "invalid_request_error", null],
  filtered: [400, "invalid_request_error", "content_filter"], unavailable: [500, "server_error", null],
};

export const openaiDialect: ChatDialect = {
  path: "/v1/chat/completions",
  eventsOf(reply, model) {
    const { reasons, says = [], callsTools = [], ending = "ends" } = reply;
    const id = reply.responseId ?? scriptedId;
    const chunk = (fields: object): ChatEvent => ({ data: JSON.stringify({ id, object: "chat.completion.chunk", created, model, ...fields }) });
    const part = (delta: object, finish: string | null = null): ChatEvent => chunk({ choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] });
    const begun = [
      part({ role: "assistant", content: "" }),
      ...(reasons === undefined ? [] : inPieces(reasons).map((piece) => part({ reasoning_content: piece }))),
      ...says.map((content) => part({ content })),
      // In turns, as parallel calls come: only the index tells whose piece it is.
      ...callsTools.map((call, index) => part({ tool_calls: [{ index, id: call.id, type: "function", function: { name: call.name, arguments: "" } }] })),
      ...[0, 1].flatMap((turn) => callsTools.flatMap((call, index) => inPieces(call.arguments).slice(turn, turn + 1).map((piece) => part({ tool_calls: [{ index, function: { arguments: piece } }] })))),
    ];
    if (ending !== "ends") return begun;
    return [...begun, part({}, finishOf(reply)), chunk({ choices: [], usage: usageOf(reply) }), { data: "[DONE]" }];
  },
  wholeOf(reply, model) {
    const { reasons, says = [], callsTools = [] } = reply;
    const message = {
      role: "assistant", content: says.length === 0 ? null : says.join(""), refusal: null,
      ...(reasons === undefined ? {} : { reasoning_content: reasons }), ...(callsTools.length === 0 ? {} : { tool_calls: callsTools.map(wireCall) }),
    };
    return { id: reply.responseId ?? scriptedId, object: "chat.completion", created, model, choices: [{ index: 0, message, logprobs: null, finish_reason: finishOf(reply) }], usage: usageOf(reply) };
  },
  failureOf({ kind, message, requestId, retryAfterMs }) {
    if (kind === "garbage") return { headers: { "content-type": "text/html" }, json: "<html><body>Welcome to the proxy</body></html>" };
    const [status, type, code] = errors[kind];
    return { status, headers: { "x-request-id": requestId, ...(retryAfterMs === undefined ? {} : { "retry-after": String(retryAfterMs / 1000) }) }, body: { error: { message, type, param: null, code } } };
  },
  keyOf: ({ authorization }) => (typeof authorization === "string" ? authorization.replace(/^Bearer /, "") : undefined),
  badKey: { status: 401, headers: { "x-request-id": "req_bad" }, body: { error: { message: "Incorrect API key provided: sk-w****cdef. You can find your API key at https://platform.openai.com/account/api-keys.", type: "invalid_request_error", param: null, code: "invalid_api_key" } } },
  modelsOf(names, name) {
    const entry = (id: string): object => ({ id, object: "model", created, owned_by: "organization-owner" });
    if (name === undefined) return { object: "list", data: names.map(entry) };
    return names.includes(name) ? entry(name) : undefined;
  },
  refusalOf: ({ messages, model }) => (Array.isArray(messages) && typeof model === "string" ? undefined : "you must provide a model and messages parameter"),
  read(body): ReceivedRequest {
    const { messages, tools, tool_choice: choice, max_tokens: older, max_completion_tokens: maxTokens = older, temperature, top_p: topP, stop } = body as WireRequest;
    const toolChoice: ToolChoice | undefined = typeof choice === "object" ? { name: choice.function.name } : choice;
    return {
      messages: messages.map(messageOf),
      ...(tools === undefined ? {} : { tools: tools.map((tool) => tool.function) }),
      ...(toolChoice === undefined ? {} : { toolChoice }),
      ...(maxTokens === undefined ? {} : { maxTokens }), ...(temperature === undefined ? {} : { temperature }), ...(topP === undefined ? {} : { topP }), ...(stop === undefined ? {} : { stop }),
    };
  },
};

function wireCall(call: ToolCall): object {
  return { id: call.id, type: "function", function: { name: call.name, arguments: call.arguments } };
}

function finishOf({ finish, callsTools = [] }: UpstreamReply): string {
  return finish ?? (callsTools.length > 0 ? "tool_calls" : "stop");
}

function usageOf({ usage: { inputTokens, outputTokens, cachedInputTokens } = scriptedUsage }: UpstreamReply): object {
  return {
    prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cachedInputTokens, audio_tokens: 0 }, completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  };
}

function messageOf({ role, content, tool_calls: calls, tool_call_id: toolCallId }: WireMessage): Message {
  const parts = typeof content === "string" ? [{ type: "text", text: content, image_url: undefined }] : (content ?? []);
  const images = parts.flatMap(({ image_url: image }) => (image === undefined ? [] : [{ url: image.url }]));
  return {
    role, content: parts.map(({ text = "" }) => text).join(""),
    ...(images.length === 0 ? {} : { images }),
    ...(calls === undefined ? {} : { toolCalls: calls.map((call) => ({ id: call.id, name: call.function.name, arguments: call.function.arguments })) }),
    ...(toolCallId === undefined ? {} : { toolCallId }),
  };
}
