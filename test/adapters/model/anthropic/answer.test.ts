import { describe, expect, it, onTestFinished } from "vitest";
import { openModel } from "../../../../src/adapters/registry.ts";
import type { Model, ModelRequest } from "../../../../src/ports/model.ts";
import { signature } from "../../../helpers/chat-anthropic.ts";
import { type Collected, collect, failureOf } from "../../../helpers/chat-ask.ts";
import { type ChatReply, type ChatServer, startChatServer, type Wire } from "../../../helpers/chat-server.ts";

async function scripted(...replies: readonly ChatReply[]): Promise<{ readonly server: ChatServer; readonly open: (options?: string) => Promise<Model> }> {
  const server = await startChatServer({ dialect: "anthropic" });
  onTestFinished(() => server.close());
  server.script.push(...replies);
  return { server, open: (options = "") => openModel(`anthropic:claude-5${options}`, { dir: "/", env: { ANTHROPIC_BASE_URL: server.url } }) };
}

async function answering(...replies: readonly ChatReply[]): Promise<Collected> {
  return collect(await (await scripted(...replies)).open());
}

async function bodyOf(change: Partial<ModelRequest>, options = ""): Promise<Readonly<Record<string, unknown>>> {
  const { server, open } = await scripted();
  await collect(await open(options), change);
  return server.requests[0]?.body as Record<string, unknown>;
}

const call = { id: "call_1", name: "look_up", arguments: '{"what":"größte 😀"}' };

describe("an answer of Anthropic's", () => {
  it.each<Wire>([{ pieceBytes: 1 }, { pieceBytes: 5, lineEnd: "\r\n", hasComments: true }, { isNameless: true }])("is read whole, written as %j", async (wire) => {
    const { text, calls, reasoning, end } = await answering({ reasons: "Let me see.", says: ["Größe: ", "1 MiB 😀"], callsTools: [call, { id: "call_2", name: "count", arguments: "{}" }], wire });
    expect([text, reasoning, calls]).toEqual(["Größe: 1 MiB 😀", "Let me see.", [call, { id: "call_2", name: "count", arguments: "{}" }]]);
    expect(end).toEqual({
      type: "end", finishReason: "tool_calls", usage: { inputTokens: 17, outputTokens: 5, cachedInputTokens: 3 }, model: "claude-5", responseId: "answer-0001",
      reasoning: [{ type: "thinking", thinking: "Let me see.", signature }],
    });
  });

  it("is taken whole from a gateway that does not stream", async () => {
    const server = await startChatServer({ dialect: "anthropic", isStreamKnown: false });
    onTestFinished(() => server.close());
    server.script.push({ reasons: "Hm.", says: ["Yes"], callsTools: [call] });
    const { text, calls, end } = await collect(await openModel("anthropic:claude-5", { dir: "/", env: { ANTHROPIC_BASE_URL: server.url } }));
    expect([text, calls.map(({ name, arguments: given }) => [name, JSON.parse(given) as unknown]), end.finishReason, end.usage.inputTokens]).toEqual(["Yes", [["look_up", { what: "größte 😀" }]], "tool_calls", 17]);
    expect(end.reasoning).toEqual([{ type: "thinking", thinking: "Hm.", signature }]);
  });

  it.each([["end_turn", "stop"], ["stop_sequence", "stop"], ["max_tokens", "length"], ["model_context_window_exceeded", "length"], ["pause_turn", "length"], ["refusal", "content_filter"], ["something_new", "stop"]])("that ended for %s ends for %s", async (given, finishReason) => {
    const events = ['{"type":"message_start","message":{"id":"m-1","model":"claude-5-0"}}', `{"type":"message_delta","delta":{"stop_reason":"${given}"}}`, '{"type":"message_stop"}'];
    expect((await answering({ events })).end).toMatchObject({ finishReason, model: "claude-5-0", responseId: "m-1", isUsageEstimated: true });
  });

  it("keeps hidden thinking as it came", async () => {
    const hidden = { type: "redacted_thinking", data: "c2VjcmV0" };
    const events = [`{"type":"content_block_start","index":0,"content_block":${JSON.stringify(hidden)}}`, '{"type":"content_block_stop","index":0}', '{"type":"message_stop"}'];
    expect((await answering({ events })).end.reasoning).toEqual([hidden]);
  });
});

describe("a request to Anthropic's API", () => {
  it("holds what was asked and nothing else", async () => {
    expect(await bodyOf({})).toEqual({ model: "claude-5", max_tokens: 8192, messages: [{ role: "user", content: [{ type: "text", text: "How large may a body be?" }] }], stream: true });
    expect(await bodyOf({ maxTokens: 7 }, "?maxOutput=20000&thinking=adaptive&effort=low")).toMatchObject({ max_tokens: 7, thinking: { type: "adaptive" }, output_config: { effort: "low" } });
    expect(await bodyOf({}, "?maxOutput=20000&thinking=2048")).toMatchObject({ max_tokens: 20_000, thinking: { type: "enabled", budget_tokens: 2048 } });
  });

  it("asks for JSON by its schema, or in words", async () => {
    const schema = { type: "object", properties: {}, additionalProperties: false };
    const body = await bodyOf({ format: "json", schema: { name: "answer", schema } });
    expect([body["output_config"], body["system"]]).toEqual([{ format: { type: "json_schema", schema } }, undefined]);
    expect((await bodyOf({ format: "json", messages: [{ role: "system", content: "Be kind." }, { role: "user", content: "?" }] }))["system"]).toMatch(/^Be kind\.\n\nAnswer with one JSON value/);
  });

  it("gives results first and together, images by their kind, and thinking back unchanged", async () => {
    const thinking = { type: "thinking", thinking: "Hm.", signature };
    const { messages } = await bodyOf({
      messages: [
        { role: "user", content: "See", images: [{ url: "data:image/png;base64,AAAA" }, { url: "https://host.example/a.png" }] },
        { role: "assistant", content: "", toolCalls: [{ id: "a", name: "f", arguments: "{}" }, { id: "b", name: "g", arguments: "[broken" }], reasoning: [thinking, { reasoning_content: "another's" }] },
        { role: "tool", content: "1", toolCallId: "a" }, { role: "tool", content: "no", toolCallId: "b", isError: true }, { role: "user", content: "Go on" }, { role: "assistant", content: " " },
      ],
    });
    expect(messages).toEqual([
      { role: "user", content: [{ type: "text", text: "See" }, { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } }, { type: "image", source: { type: "url", url: "https://host.example/a.png" } }] },
      { role: "assistant", content: [thinking, { type: "tool_use", id: "a", name: "f", input: {} }, { type: "tool_use", id: "b", name: "g", input: { unreadable: "[broken" } }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "a", content: "1" }, { type: "tool_result", tool_use_id: "b", content: "no", is_error: true }, { type: "text", text: "Go on" }] },
    ]);
  });

  it("leaves out what the newer version refuses, and says that it does", async () => {
    const sampling = { temperature: 0.2, topP: 0.9, stop: ["END"], seed: 7 };
    const body = await bodyOf(sampling);
    expect([body["temperature"], body["top_p"], body["stop_sequences"]]).toEqual([undefined, undefined, ["END"]]);
    expect(await bodyOf(sampling, "?version=2023-06-01")).toMatchObject({ temperature: 0.2, top_p: 0.9, stop_sequences: ["END"] });
    const { open } = await scripted();
    expect([(await open()).ignores, (await open("?version=2023-06-01")).ignores]).toEqual([["temperature", "topP", "seed"], ["seed"]]);
  });
});

describe("an answer of Anthropic's that goes wrong", () => {
  const begun = ['{"type":"message_start","message":{"id":"m-1"}}', '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}', '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"A body "}}'];

  it.each<[string, readonly string[], string, string, boolean]>([
    ["an overload", ['{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'], "SERVICE_UNAVAILABLE", "broke off its answer with overloaded_error: Overloaded (request req_stream)", true],
    ["a rate limit", ['{"type":"error","error":{"type":"rate_limit_error","message":"Slow down"}}'], "SERVICE_LIMITED", "Slow down", true],
    ["an error without a name", ['{"type":"error"}'], "SERVICE_UNAVAILABLE", "broke off its answer", true],
    ["no end", ['{"type":"message_delta","delta":{"stop_reason":"end_turn"}}'], "SERVICE_CUT", "the stream ended without its end", true],
    ["something that is no JSON", ["<html>"], "SERVICE_FAILED", "not JSON", false],
  ])("fails for %s after its first words", async (_, events, code, message, mayPass) => {
    const { open } = await scripted({ events: [...begun, ...events] });
    const { failure, text } = await failureOf(await open());
    expect(text).toBe("A body ");
    expect(failure).toMatchObject({ code, message: expect.stringContaining(message), retry: mayPass ? { afterMs: null } : undefined });
  });

  it("fails for an answer of another kind", async () => {
    const { open } = await scripted({ reply: { body: { hello: "world" } } });
    expect((await failureOf(await open())).failure).toMatchObject({ code: "SERVICE_FAILED", message: expect.stringContaining("not a message"), retry: undefined });
  });

  it("fails for a connection that is reset before the answer, and for silence within it", async () => {
    const { server, open } = await scripted({ reset: true }, { says: ["A body "], ending: "hangs" });
    expect((await failureOf(await open())).failure).toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } });
    const { failure, text } = await failureOf(await open("?timeoutMs=100"));
    expect([failure.code, failure.retry, text]).toEqual(["SERVICE_TIMEOUT", { afterMs: null }, "A body "]);
    await server.closed();
  });

  it("says nothing of a wait where a rate limit says nothing", async () => {
    const { open } = await scripted({ fails: { kind: "limited", message: "Slow down", requestId: "req_1" } });
    expect((await failureOf(await open())).failure).toMatchObject({ code: "SERVICE_LIMITED", retry: { afterMs: null } });
  });
});
