import Anthropic, { AuthenticationError as AnthropicAuthenticationError, BadRequestError, NotFoundError as AnthropicNotFoundError } from "@anthropic-ai/sdk";
import OpenAI, { AuthenticationError, NotFoundError, RateLimitError } from "openai";
import { describe, expect, it, onTestFinished } from "vitest";
import { type ChatServer, type ChatServerOptions, startChatServer } from "./chat-server.ts";

/** The stand-in for both protocols is worth as much as the providers' own clients can make of it. */
const key = "sk-0123456789abcdef";
const call = { id: "call_1", name: "look_up", arguments: '{"what":"the \\"größte\\" body"}' };
const wires = [{}, { pieceBytes: 1 }, { lineEnd: "\r\n", hasComments: true, pieceBytes: 7 }] as const;

async function started(options: ChatServerOptions): Promise<ChatServer> {
  const server = await startChatServer({ key, models: ["a-model"], ...options });
  onTestFinished(() => server.close());
  return server;
}

describe("the stand-in for OpenAI, asked by OpenAI's client", () => {
  async function opened(apiKey = key): Promise<{ readonly server: ChatServer; readonly client: OpenAI }> {
    const server = await started({});
    return { server, client: new OpenAI({ apiKey, baseURL: `${server.url}/v1`, maxRetries: 0 }) };
  }
  const asked: { model: string; messages: OpenAI.ChatCompletionMessageParam[] } = { model: "a-model", messages: [{ role: "user", content: "How large?" }] };
  const tools: OpenAI.ChatCompletionTool[] = [{ type: "function", function: { name: "look_up", parameters: { type: "object" } } }];

  it.each(wires)("streams, written as %j", async (wire) => {
    const { server, client } = await opened();
    server.script.push({ says: ["Größe: ", "1 MiB 😀"], callsTools: [call], wire });
    const stream = client.chat.completions.stream({ ...asked, tools, stream_options: { include_usage: true } });
    const { id, choices: [choice], usage } = await stream.finalChatCompletion();
    expect(choice).toMatchObject({ finish_reason: "tool_calls", message: { content: "Größe: 1 MiB 😀", tool_calls: [{ id: "call_1", function: { name: "look_up", arguments: call.arguments } }] } });
    expect([id, usage?.prompt_tokens, usage?.completion_tokens, usage?.prompt_tokens_details?.cached_tokens]).toEqual(["answer-0001", 17, 5, 3]);
  });

  it("answers whole", async () => {
    const { server, client } = await opened();
    server.script.push({ says: ["1 MiB"], finish: "length" });
    expect((await client.chat.completions.create(asked)).choices[0]).toMatchObject({ finish_reason: "length", message: { content: "1 MiB" } });
  });

  it("lists its models", async () => {
    const { client } = await opened();
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["a-model"]);
    expect(await client.models.retrieve("a-model")).toMatchObject({ id: "a-model", object: "model" });
    await expect(client.models.retrieve("another")).rejects.toBeInstanceOf(NotFoundError);
  });

  it("refuses as OpenAI does", async () => {
    const wrong = await opened("sk-wrong");
    await expect(wrong.client.chat.completions.create(asked)).rejects.toBeInstanceOf(AuthenticationError);
    const { server, client } = await opened();
    server.script.push({ fails: { kind: "limited", message: "Slow down", requestId: "req_1", retryAfterMs: 2000 } });
    await expect(client.chat.completions.create(asked)).rejects.toMatchObject({ constructor: RateLimitError, requestID: "req_1", code: "rate_limit_exceeded" });
    server.script.push({ events: ['{"error":{"message":"The server is overloaded","type":"server_error","code":null}}'] });
    await expect(client.chat.completions.stream(asked).finalChatCompletion()).rejects.toMatchObject({ status: undefined, type: "server_error" });
    server.script.push({ says: ["A body may "], ending: "breaksOff" });
    await expect(client.chat.completions.stream(asked).finalChatCompletion()).rejects.toThrow(/error|terminated/i);
  });
});

describe("the stand-in for Anthropic, asked by Anthropic's client", () => {
  async function opened(apiKey = key): Promise<{ readonly server: ChatServer; readonly client: Anthropic }> {
    const server = await started({ dialect: "anthropic" });
    return { server, client: new Anthropic({ apiKey, authToken: null, baseURL: server.url, maxRetries: 0 }) };
  }
  const asked: { model: string; max_tokens: number; messages: Anthropic.MessageParam[] } = { model: "a-model", max_tokens: 100, messages: [{ role: "user", content: "How large?" }] };

  it.each(wires)("streams, written as %j", async (wire) => {
    const { server, client } = await opened();
    server.script.push({ reasons: "Let me see.", says: ["Größe: ", "1 MiB 😀"], callsTools: [call, { id: "call_2", name: "count", arguments: "{}" }], wire });
    const message = await client.messages.stream(asked).finalMessage();
    expect(message).toMatchObject({
      id: "answer-0001", model: "a-model", stop_reason: "tool_use",
      content: [
        { type: "thinking", thinking: "Let me see.", signature: expect.stringMatching(/./) }, { type: "text", text: "Größe: 1 MiB 😀" },
        { type: "tool_use", id: "call_1", name: "look_up", input: { what: 'the "größte" body' } }, { type: "tool_use", id: "call_2", input: {} },
      ],
    });
    const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens } = message.usage;
    expect([input_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens]).toEqual([12, 2, 3, 5]);
  });

  it("answers whole", async () => {
    const { server, client } = await opened();
    server.script.push({ says: ["1 MiB"], finish: "length" });
    expect(await client.messages.create(asked)).toMatchObject({ stop_reason: "max_tokens", content: [{ type: "text", text: "1 MiB" }] });
  });

  it("lists its models", async () => {
    const { client } = await opened();
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["a-model"]);
    expect(await client.models.retrieve("a-model")).toMatchObject({ id: "a-model", lifecycle: "active" });
    await expect(client.models.retrieve("another")).rejects.toBeInstanceOf(AnthropicNotFoundError);
  });

  it("refuses as Anthropic does", async () => {
    const wrong = await opened("sk-wrong");
    await expect(wrong.client.messages.create(asked)).rejects.toBeInstanceOf(AnthropicAuthenticationError);
    const { server, client } = await opened();
    await expect(client.messages.create({ ...asked, temperature: 0.5 } as never)).rejects.toBeInstanceOf(BadRequestError);
    server.script.push({ fails: { kind: "unavailable", message: "Overloaded", requestId: "req_1" } });
    await expect(client.messages.create(asked)).rejects.toMatchObject({ status: 529, requestID: "req_1" });
    server.script.push({ events: [{ name: "error", data: '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}' }] });
    await expect(client.messages.stream(asked).finalMessage()).rejects.toMatchObject({ status: undefined, type: "overloaded_error" });
  });
});
