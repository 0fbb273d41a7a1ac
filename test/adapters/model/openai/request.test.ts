import { describe, expect, it, onTestFinished } from "vitest";
import { openModel } from "../../../../src/adapters/registry.ts";
import type { ModelRequest } from "../../../../src/ports/model.ts";
import { collect, failureOf } from "../../../helpers/chat-ask.ts";
import { type ChatReply, type ChatServer, startChatServer } from "../../../helpers/chat-server.ts";

async function started(...replies: readonly ChatReply[]): Promise<ChatServer> {
  const server = await startChatServer();
  onTestFinished(() => server.close());
  server.script.push(...replies);
  return server;
}

const bodies = ({ requests }: ChatServer): readonly unknown[] => requests.map(({ body }) => body);
const refuse = (message: string): ChatReply => ({ fails: { kind: "rejected", message, requestId: "req_1" } });

async function bodyOf(change: Partial<ModelRequest>, options = ""): Promise<unknown> {
  const server = await started();
  await collect(await openModel(`${server.url}/v1#m${options}`, { dir: "/", env: {} }), change);
  return bodies(server)[0];
}

describe("a request to a server that speaks OpenAI's API", () => {
  it("holds what was asked and nothing else", async () => {
    expect(await bodyOf({})).toEqual({ model: "m", messages: [{ role: "user", content: "How large may a body be?" }], stream: true, stream_options: { include_usage: true } });
    const sampling = { temperature: 0, topP: 0.9, maxTokens: 7, stop: ["END"], seed: 3, format: "json", tools: [{ name: "f", parameters: { type: "object" } }], toolChoice: { name: "f" } } as const;
    expect(await bodyOf(sampling, "?reasoningEffort=low")).toMatchObject({
      temperature: 0, top_p: 0.9, max_tokens: 7, stop: ["END"], seed: 3, reasoning_effort: "low", response_format: { type: "json_object" },
      tools: [{ type: "function", function: { name: "f", parameters: { type: "object" } } }], tool_choice: { type: "function", function: { name: "f" } },
    });
    expect(await bodyOf({ stop: [], tools: [], toolChoice: "required" })).toEqual({ model: "m", messages: expect.any(Array), stream: true, stream_options: { include_usage: true } });
  });

  it("asks for the whole answer at once where nobody reads before its end", async () => {
    expect(await bodyOf({ isWhole: true })).toEqual({ model: "m", messages: expect.any(Array), stream: false });
  });

  it("asks for a stream all the same where the reference limits how long the server may be silent", async () => {
    expect(await bodyOf({ isWhole: true }, "?timeoutMs=60000")).toMatchObject({ stream: true });
  });

  it("holds who speaks, how closely to look and how hard to think, and asks for one call at a time", async () => {
    const messages = [{ role: "user", name: "Ann", content: "Hello", images: [{ url: "https://example.com/a.png", detail: "low" }] }, { role: "assistant", name: "bot", content: "Hello!" }, { role: "user", content: "And?" }] as const;
    const tools = [{ name: "f", parameters: { type: "object" } }];
    expect(await bodyOf({ messages, effort: "high", isSingleCall: true, tools }, "?reasoningEffort=low")).toMatchObject({
      reasoning_effort: "high", parallel_tool_calls: false,
      messages: [{ name: "Ann", content: [{ type: "text", text: "Hello" }, { image_url: { url: "https://example.com/a.png", detail: "low" } }] }, { name: "bot" }, { role: "user", content: "And?" }],
    });
    expect(await bodyOf({ isSingleCall: true })).not.toHaveProperty("parallel_tool_calls");
  });

  it("asks for a schema to the letter where OpenAI can hold the model to it", async () => {
    const format = async (schema: NonNullable<ModelRequest["schema"]>["schema"]): Promise<unknown> => ((await bodyOf({ format: "json", schema: { name: "answer", schema } })) as { readonly response_format: unknown }).response_format;
    const strict = { type: "object", properties: { x: { type: "array", items: { type: "object", properties: {}, additionalProperties: false } } }, required: ["x"], additionalProperties: false };
    expect(await format(strict)).toEqual({ type: "json_schema", json_schema: { name: "answer", schema: strict, strict: true } });
    for (const loose of [{ ...strict, required: [] }, { ...strict, additionalProperties: true }, { type: "object" }]) {
      expect(await format(loose)).toEqual({ type: "json_schema", json_schema: { name: "answer", schema: loose } });
    }
  });

  it("sends text that can be written as UTF-8", async () => {
    expect(await bodyOf({ messages: [{ role: "user", content: "half \ud83d" }] })).toMatchObject({ messages: [{ content: "half \ufffd" }] });
  });
});

describe("a server that does not know a name", () => {
  const newer = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";

  it("is asked with the other name, and from then on with that one", async () => {
    const server = await started(refuse(newer));
    const model = await openModel(`${server.url}/v1#m`, { dir: "/", env: {} });
    for (const maxTokens of [5, 6]) expect((await collect(model, { maxTokens })).text).not.toBe("");
    expect(bodies(server)).toMatchObject([{ max_tokens: 5 }, { max_completion_tokens: 5 }, { max_completion_tokens: 6 }]);
    expect(bodies(server)[1]).not.toHaveProperty("max_tokens");
  });

  it("is asked without a count of the tokens, and then for the other name", async () => {
    const server = await started(refuse("[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'), 'msg': 'Extra inputs are not permitted'}]"), refuse(newer), { events: ['{"choices":[{"delta":{"content":"Yes"},"finish_reason":"stop"}]}'] });
    const model = await openModel(`${server.url}/v1#m`, { dir: "/", env: {} });
    expect((await collect(model, { maxTokens: 5 })).end).toMatchObject({ isUsageEstimated: true });
    expect(bodies(server).map((body) => Object.keys(body as object).filter((name) => /max|options/.test(name)))).toEqual([["stream_options", "max_tokens"], ["max_tokens"], ["max_completion_tokens"]]);
  });

  it.each(["This model only support stream mode, please enable the stream parameter to access the model.", "Stream must be set to true"])("is asked for a stream, and from then on for nothing else: %s", async (message) => {
    const server = await started(refuse(message));
    const model = await openModel(`${server.url}/v1#m`, { dir: "/", env: {} });
    for (const maxTokens of [5, 6]) expect((await collect(model, { isWhole: true, maxTokens })).text).not.toBe("");
    expect(bodies(server)).toMatchObject([{ stream: false, max_tokens: 5 }, { stream: true, max_tokens: 5 }, { stream: true, max_tokens: 6 }]);
  });

  it("is asked as the reference says, whatever it answers", async () => {
    const server = await started(refuse(newer), {});
    const open = (name: string) => openModel(`${server.url}/v1#m?limitName=${name}`, { dir: "/", env: {} });
    expect((await failureOf(await open("max_tokens"), { maxTokens: 5 })).failure).toMatchObject({ code: "SERVICE_REJECTED", message: expect.stringContaining("max_completion_tokens") });
    await collect(await open("max_completion_tokens"), { maxTokens: 5 });
    expect(bodies(server)).toMatchObject([{ max_tokens: 5 }, { max_completion_tokens: 5 }]);
  });

  it("is not asked for ever", async () => {
    const server = await started(refuse(newer), refuse("Unknown parameter: max_completion_tokens"));
    const { failure } = await failureOf(await openModel(`${server.url}/v1#m`, { dir: "/", env: {} }), { maxTokens: 5 });
    expect([failure.code, server.requests.length]).toEqual(["SERVICE_REJECTED", 2]);
  });

  it("may find the number too large, which is another matter", async () => {
    const server = await started(refuse("max_tokens is too large: 999999. This model supports at most 16384 completion tokens."));
    await failureOf(await openModel(`${server.url}/v1#m`, { dir: "/", env: {} }), { maxTokens: 999_999 });
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ["Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.", "leave `temperature` out"],
    ["This model's maximum context length is 8192 tokens", "retrieve fewer passages"],
    ["Something else", "as the service says"],
  ])("says what to do about: %s", async (message, fix) => {
    const server = await started(refuse(message));
    const { failure } = await failureOf(await openModel(`${server.url}/v1#m`, { dir: "/", env: {} }), { temperature: 0.2 });
    expect(failure).toMatchObject({ code: "SERVICE_REJECTED", message: expect.stringContaining(message), fix: expect.stringContaining(fix) });
    expect(server.requests).toHaveLength(1);
  });
});
