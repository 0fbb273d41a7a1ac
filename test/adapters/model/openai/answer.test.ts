import { describe, expect, it, onTestFinished } from "vitest";
import { openModel } from "../../../../src/adapters/registry.ts";
import { type Collected, collect, failureOf } from "../../../helpers/chat-ask.ts";
import { type ChatReply, type ChatServer, startChatServer, type Wire } from "../../../helpers/chat-server.ts";

async function scripted(...replies: readonly ChatReply[]): Promise<{ readonly server: ChatServer; readonly open: (options?: string) => ReturnType<typeof openModel> }> {
  const server = await startChatServer();
  onTestFinished(() => server.close());
  server.script.push(...replies);
  return { server, open: (options = "") => openModel(`${server.url}/v1#m${options}`, { dir: "/", env: {} }) };
}

async function answering(...replies: readonly ChatReply[]): Promise<Collected> {
  return collect(await (await scripted(...replies)).open());
}

const chunk = (delta: object, rest: object = {}): string => JSON.stringify({ id: "c-1", model: "m-7", choices: [{ index: 0, delta, ...rest }] });
const stopped = chunk({}, { finish_reason: "stop" });
const usage = JSON.stringify({ id: "c-1", choices: [], usage: { prompt_tokens: 9, completion_tokens: 4 } });
const called = (piece: object): string => chunk({ tool_calls: [piece] });

describe("an answer in OpenAI's form", () => {
  it.each<Wire>([{ pieceBytes: 1 }, { pieceBytes: 5, lineEnd: "\r\n", hasComments: true }])("is read whole, written as %j", async (wire) => {
    const call = { id: "call_1", name: "look_up", arguments: '{"what":"größte 😀"}' };
    const { text, calls, end } = await answering({ says: ["Größe: ", "1 MiB\n\n", "data: 😀"], callsTools: [call], wire });
    expect([text, calls]).toEqual(["Größe: 1 MiB\n\ndata: 😀", [call]]);
    expect(end).toEqual({ type: "end", finishReason: "tool_calls", usage: { inputTokens: 17, outputTokens: 5, cachedInputTokens: 3 }, model: "m", responseId: "answer-0001" });
  });

  it("is complete without [DONE], and without a reason for its end", async () => {
    expect((await answering({ events: [chunk({ content: "Yes" }), stopped, usage] })).end).toMatchObject({ finishReason: "stop", usage: { inputTokens: 9, outputTokens: 4 }, model: "m-7" });
    expect((await answering({ events: [chunk({ content: "Yes" }), "[DONE]"] })).end).toMatchObject({ finishReason: "stop" });
  });

  it("is counted by us where the server does not count, and named by the request where it has no ID", async () => {
    const { end } = await answering({ events: ['{"choices":[{"delta":{"content":"One two three"}}]}', '{"choices":[{"delta":{},"finish_reason":"stop"}]}', "[DONE]"] });
    expect(end).toEqual({ type: "end", finishReason: "stop", usage: { inputTokens: 11, outputTokens: 3, cachedInputTokens: 0 }, isUsageEstimated: true, model: "m", responseId: "req_stream" });
  });

  it("is taken whole from a server that does not stream", async () => {
    const message = { role: "assistant", content: "Yes", reasoning_content: "Hm.", tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } }] };
    const { text, reasoning, calls, end } = await answering({ reply: { body: { id: "c-2", model: "m-8", choices: [{ message, finish_reason: "tool_calls" }], usage: { prompt_tokens: 1, completion_tokens: 2 } } } });
    expect([text, reasoning, calls, end.finishReason, end.model, end.usage.outputTokens]).toEqual(["Yes", "Hm.", [{ id: "a", name: "f", arguments: '{"x":1}' }], "tool_calls", "m-8", 2]);
  });

  it.each([
    ["joined by index, in turns", [called({ index: 0, id: "a", function: { name: "f", arguments: "" } }), called({ index: 1, id: "b", function: { name: "g", arguments: '{"y"' } }), called({ index: 0, function: { arguments: '{"x":1}' } }), called({ index: 1, function: { arguments: ":2}" } })]],
    ["each whole, without an index", [called({ id: "a", function: { name: "f", arguments: '{"x":1}' } }), called({ id: "b", function: { name: "g", arguments: '{"y":2}' } })]],
    ["each whole, all with one index", [called({ index: 0, id: "a", function: { name: "f", arguments: '{"x":1}' } }), called({ index: 0, id: "b", function: { name: "g", arguments: '{"y":2}' } })]],
    ["in pieces, without an index", [called({ id: "a", function: { name: "f", arguments: "" } }), called({ function: { arguments: '{"x":1}' } }), called({ id: "b", function: { name: "g", arguments: '{"y":' } }), called({ function: { arguments: "2}" } })]],
    ["with the name again in each piece", [called({ index: 0, id: "a", function: { name: "f", arguments: '{"x"' } }), called({ index: 0, id: "a", function: { name: "f", arguments: ":1}" } }), called({ index: 1, id: "b", function: { name: "g", arguments: '{"y":2}' } })]],
    ["with arguments that are no text", [called({ index: 0, id: "a", function: { name: "f", arguments: { x: 1 } } }), called({ index: 1, id: "b", function: { name: "g", arguments: { y: 2 } } })]],
  ])("has tool calls %s", async (_, events) => {
    // Many servers say `stop` after calls, too.
    const { calls, end } = await answering({ events: [...events, stopped, "[DONE]"] });
    expect(calls).toEqual([{ id: "a", name: "f", arguments: '{"x":1}' }, { id: "b", name: "g", arguments: '{"y":2}' }]);
    expect(end.finishReason).toBe("tool_calls");
  });

  it("gives a call an ID that has none, and empty arguments the form of some", async () => {
    const { calls } = await answering({ events: [called({ function: { name: "f", arguments: "" } }), called({ function: { name: "g" } }), stopped] });
    expect(calls).toMatchObject([{ id: expect.stringMatching(/^call_./), name: "f", arguments: "{}" }, { name: "g", arguments: "{}" }]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
  });

  it("has the older form of a call", async () => {
    const events = [chunk({ function_call: { name: "f", arguments: '{"x"' } }), chunk({ function_call: { arguments: ":1}" } }), chunk({}, { finish_reason: "function_call" })];
    const { calls, end } = await answering({ events });
    expect([calls.map((call) => [call.name, call.arguments]), end.finishReason]).toEqual([[["f", '{"x":1}']], "tool_calls"]);
  });

  it.each([["stop", "stop"], ["length", "length"], ["content_filter", "content_filter"], ["error", "error"], ["eos_token", "stop"]])("that ended for %s ends for %s", async (given, finishReason) => {
    expect((await answering({ events: [chunk({ content: "Yes" }, { finish_reason: given })] })).end).toMatchObject({ finishReason });
  });

  it("that is a refusal says so", async () => {
    const { text, end } = await answering({ events: [chunk({ refusal: "I will not." }), stopped] });
    expect([text, end.finishReason]).toEqual(["I will not.", "content_filter"]);
  });

  it.each(["reasoning_content", "reasoning"])("shows its %s, and gives it back within a round of calls", async (name) => {
    const { server, open } = await scripted({ events: [chunk({ [name]: "Let me " }), chunk({ [name]: "see." }), called({ index: 0, id: "a", function: { name: "f", arguments: "{}" } }), stopped] });
    const model = await open();
    const { reasoning, end, calls } = await collect(model);
    expect([reasoning, end.reasoning]).toEqual(["Let me see.", [{ [name]: "Let me see." }]]);
    await collect(model, { messages: [{ role: "user", content: "?" }, { role: "assistant", content: "", toolCalls: calls, reasoning: [{ type: "thinking", thinking: "another's" }, ...(end.reasoning ?? [])] }, { role: "tool", content: "1", toolCallId: "a" }] });
    expect(server.requests[1]).toHaveProperty("body.messages[1]", { role: "assistant", content: null, [name]: "Let me see.", tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "{}" } }] });
  });
});

describe("an answer in OpenAI's form that goes wrong", () => {
  it.each<[string, readonly string[], string, string, boolean]>([
    ["an error", ['{"error":{"message":"The engine is gone","type":"server_error","code":null}}'], "SERVICE_UNAVAILABLE", "broke off its answer with server_error: The engine is gone (request req_stream)", true],
    ["a rate limit", ['{"error":{"message":"Slow down","code":429}}'], "SERVICE_LIMITED", "with 429: Slow down", true],
    ["a filter", ['{"error":{"message":"No","code":"content_filter"}}'], "SERVICE_FILTERED", "with content_filter: No", false],
    ["vLLM's form of an error", ['{"object":"error","message":"Too long","type":"BadRequestError","code":400}'], "SERVICE_REJECTED", "with 400: Too long", false],
    ["no end", [], "SERVICE_CUT", "the stream ended without its end", true],
    ["something that is no JSON", ["<html>"], "SERVICE_FAILED", "not JSON", false],
  ])("fails for %s after its first words", async (_, events, code, message, mayPass) => {
    for (const isWhole of [false, true]) {
      const { open } = await scripted({ events: [chunk({ content: "A body " }), ...events] });
      const { failure, text } = await failureOf(await open(), { isWhole });
      expect(text).toBe("A body ");
      expect(failure).toMatchObject({ code, message: expect.stringContaining(message), retry: mayPass ? { afterMs: null } : undefined });
    }
  });

  it.each([
    ["an answer of another kind", { reply: { body: { hello: "world" } } }],
    ["events of another kind", { events: ['{"hello":"world"}', "[DONE]"] }],
  ])("fails for %s", async (_, reply) => {
    const { open } = await scripted(reply);
    expect((await failureOf(await open())).failure).toMatchObject({ code: "SERVICE_FAILED", message: expect.stringContaining("`choices`"), fix: expect.stringContaining("/v1") });
  });

  it("fails for an error that has the status of a success", async () => {
    const { open } = await scripted({ reply: { body: { error: { message: "No such model", type: "not_found_error" } } } });
    expect((await failureOf(await open())).failure).toMatchObject({ code: "SERVICE_NOT_FOUND", message: expect.stringContaining("No such model") });
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
