/** Messages as Anthropic's API answers them on the wire. */
import type { Message, ToolChoice } from "../../src/ports/model.ts";
import { type FailureKind, type ReceivedRequest, scriptedId, scriptedUsage, type UpstreamReply } from "../ports/model-upstream.ts";
import { type ChatDialect, type ChatEvent, inPieces } from "./chat-dialect.ts";

interface WireBlock {
  readonly type: string;
  readonly text?: string;
  readonly id?: string;
  readonly name?: string;
  readonly input?: unknown;
  readonly tool_use_id?: string;
  readonly content?: string;
  readonly is_error?: boolean;
  readonly source?: { readonly type: string; readonly url?: string; readonly media_type?: string; readonly data?: string };
}

interface WireRequest {
  readonly system?: string;
  readonly messages: readonly { readonly role: "user" | "assistant"; readonly content: string | readonly WireBlock[] }[];
  readonly tools?: readonly { readonly name: string; readonly description?: string; readonly input_schema: Record<string, never> }[];
  readonly tool_choice?: { readonly type: "auto" | "any" | "none" | "tool"; readonly name?: string };
  readonly max_tokens: number;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly stop_sequences?: readonly string[];
}

const errors: Readonly<Record<Exclude<FailureKind, "garbage">, readonly [status: number, type: string]>> = {
  unauthenticated: [401, "authentication_error"], denied: [403, "permission_error"], notFound: [404, "not_found_error"], limited: [429, "rate_limit_error"], quota: [402, "billing_error"],
  rejected: [400, "invalid_request_error"], filtered: [400, "invalid_request_error"], unavailable: [529, "overloaded_error"],
};
const stopReasons = { stop: "end_turn", length: "max_tokens", content_filter: "refusal", tool_calls: "tool_use", error: "end_turn" } as const;
export const signature = "EqQBCgIYAhIkc2lnbmF0dXJlIG9mIHRoZSB0aGlua2luZw==";

export const anthropicDialect: ChatDialect = {
  path: "/v1/messages",
  eventsOf(reply, model) {
    const { ending = "ends" } = reply;
    const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens } = usageOf(reply);
    const begun = [
      event("message_start", { message: { ...messageBody(reply, model), content: [], stop_reason: null, usage: { input_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens: 1 } } }),
      event("ping", {}),
      ...blocksOf(reply).flatMap((block, index) => blockEvents(block, index, reply)),
    ];
    if (ending !== "ends") return begun.slice(0, -1);
    return [...begun, event("message_delta", { delta: { stop_reason: stopOf(reply), stop_sequence: null }, usage: { output_tokens } }), event("message_stop", {})];
  },
  wholeOf: (reply, model) => ({ ...messageBody(reply, model), content: blocksOf(reply), stop_reason: stopOf(reply), usage: usageOf(reply) }),
  failureOf({ kind, message, requestId, retryAfterMs }) {
    if (kind === "garbage") return { headers: { "content-type": "text/html" }, json: "<html><body>Welcome to the proxy</body></html>" };
    const [status, type] = errors[kind];
    const said = kind === "filtered" ? `Output blocked by content filtering policy: ${message}` : message;
    return { status, headers: { "request-id": requestId, ...(retryAfterMs === undefined ? {} : { "retry-after": String(retryAfterMs / 1000) }) }, body: { type: "error", error: { type, message: said }, request_id: requestId } };
  },
  keyOf({ authorization, "x-api-key": key }) {
    return typeof key === "string" ? key : typeof authorization === "string" ? authorization.replace(/^Bearer /, "") : undefined;
  },
  badKey: { status: 401, headers: { "request-id": "req_bad" }, body: { type: "error", error: { type: "authentication_error", message: "invalid x-api-key" }, request_id: "req_bad" } },
  modelsOf(names, name) {
    const entry = (id: string): object => ({ type: "model", id, display_name: `The ${id}`, created_at: "2026-01-01T00:00:00Z", lifecycle: "active", deprecated_at: null, retires_at: null, max_tokens: 64_000 });
    if (name === undefined) return { data: names.map(entry), has_more: false, first_id: names[0] ?? null, last_id: names.at(-1) ?? null };
    return names.includes(name) ? entry(name) : undefined;
  },
  refusalOf(body, { "anthropic-version": version }) {
    if (version === undefined) return "anthropic-version: header is required";
    if (typeof body["max_tokens"] !== "number") return "max_tokens: Field required";
    const refused = ["temperature", "top_p", "top_k"].find((name) => version === "2026-10-21" && body[name] !== undefined);
    return refused === undefined ? contentRefusal(body as unknown as WireRequest) : `${refused}: Extra inputs are not permitted`;
  },
  read(body): ReceivedRequest {
    const { system, messages, tools, tool_choice: choice, max_tokens: maxTokens, temperature, top_p: topP, stop_sequences: stop } = body as WireRequest;
    return {
      messages: [...(system === undefined ? [] : [{ role: "system" as const, content: system }]), ...messages.flatMap(messagesOf)],
      ...(tools === undefined ? {} : { tools: tools.map(({ name, description, input_schema: parameters }) => ({ name, parameters, ...(description === undefined ? {} : { description }) })) }),
      ...(choice === undefined ? {} : { toolChoice: choiceOf(choice) }),
      maxTokens, ...(temperature === undefined ? {} : { temperature }), ...(topP === undefined ? {} : { topP }), ...(stop === undefined ? {} : { stop }),
    };
  },
};

function event(type: string, fields: object): ChatEvent {
  return { name: type, data: JSON.stringify({ type, ...fields }) };
}

function messageBody({ responseId = scriptedId }: UpstreamReply, model: string): object {
  return { id: responseId, type: "message", role: "assistant", model, stop_sequence: null };
}

function blocksOf({ reasons, says = [], callsTools = [] }: UpstreamReply): readonly object[] {
  return [
    ...(reasons === undefined ? [] : [{ type: "thinking", thinking: reasons, signature }]),
    ...(says.length === 0 ? [] : [{ type: "text", text: says.join(""), citations: null }]),
    ...callsTools.map((call) => ({ type: "tool_use", id: call.id, name: call.name, input: JSON.parse(call.arguments) as unknown })),
  ];
}

/** A block as it is streamed: empty at its start, then in pieces. */
function blockEvents(block: object, index: number, { says = [], reasons = "", callsTools = [] }: UpstreamReply): readonly ChatEvent[] {
  const { type, id } = block as { readonly type: string; readonly id?: string };
  const written = callsTools.find((call) => call.id === id)?.arguments ?? "";
  const delta = (fields: object): ChatEvent => event("content_block_delta", { index, delta: fields });
  const [empty, deltas] = type === "thinking"
    ? [{ thinking: "", signature: "" }, [...inPieces(reasons).map((thinking) => delta({ type: "thinking_delta", thinking })), delta({ type: "signature_delta", signature })]]
    : type === "text"
      ? [{ text: "" }, says.map((text) => delta({ type: "text_delta", text }))]
      // Without arguments, there is one empty piece.
      : [{ input: {} }, (written === "{}" ? [""] : ["", ...inPieces(written)]).map((piece) => delta({ type: "input_json_delta", partial_json: piece }))];
  return [event("content_block_start", { index, content_block: { ...block, ...empty } }), ...deltas, event("content_block_stop", { index })];
}

function stopOf({ finish, callsTools = [] }: UpstreamReply): string {
  return stopReasons[finish ?? (callsTools.length > 0 ? "tool_calls" : "stop")];
}

/** `input_tokens` leaves out what the cache gave and took. */
function usageOf({ usage: { inputTokens, outputTokens, cachedInputTokens } = scriptedUsage }: UpstreamReply) {
  const rest = inputTokens - cachedInputTokens;
  const written = Math.min(2, rest);
  return { input_tokens: rest - written, cache_creation_input_tokens: written, cache_read_input_tokens: cachedInputTokens, output_tokens: outputTokens };
}

/** What the API insists on: no empty text, and the results of tools first, each for a call of the turn before. */
function contentRefusal({ messages }: WireRequest): string | undefined {
  for (const [i, { role, content }] of messages.entries()) {
    const blocks = typeof content === "string" ? [{ type: "text", text: content }] : content;
    if (blocks.length === 0 || blocks.some(({ type, text }) => type === "text" && text === "")) return `messages.${i}: text content blocks must be non-empty`;
    const previous = messages[i - 1]?.content;
    const open = typeof previous === "string" || previous === undefined ? [] : previous.filter(({ type }) => type === "tool_use").map(({ id }) => id);
    const results = new Set(blocks.slice(0, open.length).map((block) => ("tool_use_id" in block ? block.tool_use_id : undefined)));
    if (role === "user" && open.some((id) => !results.has(id))) return `messages.${i}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after`;
  }
  return undefined;
}

function choiceOf({ type, name = "" }: NonNullable<WireRequest["tool_choice"]>): ToolChoice {
  if (type === "tool") return { name };
  return type === "any" ? "required" : type;
}

function messagesOf({ role, content }: WireRequest["messages"][number]): readonly Message[] {
  const blocks: readonly WireBlock[] = typeof content === "string" ? [{ type: "text", text: content }] : content;
  const results: Message[] = blocks.filter(({ type }) => type === "tool_result").map(({ tool_use_id: toolCallId = "", content: text = "", is_error: isError }) => ({ role: "tool", content: text, toolCallId, ...(isError === undefined ? {} : { isError }) }));
  const images = blocks.flatMap(({ source }) => (source === undefined ? [] : [{ url: source.url ?? `data:${source.media_type};base64,${source.data}` }]));
  const toolCalls = blocks.filter(({ type }) => type === "tool_use").map(({ id = "", name = "", input }) => ({ id, name, arguments: JSON.stringify(input) }));
  const text = blocks.filter(({ type }) => type === "text").map((block) => block.text ?? "").join("");
  const reasoning = blocks.filter(({ type }) => type.includes("thinking"));
  const spoken: Message = { role, content: text, ...(images.length === 0 ? {} : { images }), ...(toolCalls.length === 0 ? {} : { toolCalls }), ...(reasoning.length === 0 ? {} : { reasoning: reasoning as unknown as NonNullable<Message["reasoning"]> }) };
  return results.length > 0 && text === "" && images.length === 0 ? results : [...results, spoken];
}
