import type { ResponseStreamEvent } from "openai/resources/responses/responses";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { zodTextFormat } from "openai/helpers/zod";
import { TwelveError } from "../../../src/core/errors.ts";
import { ResponseEvent, ResponseObject } from "../../../src/run/http/responses-schema.ts";
import { openAgent, runtimeOf, says, scriptedModel, wants } from "../fixture.ts";
import { startServer } from "./fixture.ts";

const input = "What is the body limit?";
const call = { id: "c1", name: "look_up", arguments: '{"a":1}' };
const tool = { type: "function", name: "look_up", description: "Looks it up", parameters: { type: "object", properties: { a: { type: "integer" } } }, strict: false } as const;
const annotation = { type: "file_citation", file_id: "docs/limits.md", filename: "docs/limits.md", index: 12 };
const citation = { number: 1, document: "docs/limits.md", headings: "Limits", chunk: "c-1", score: 0.9 };

function start(model = scriptedModel(() => says("It is ", "1 MiB", " [1]."))) {
  const runtime = runtimeOf(openAgent(model));
  return startServer(runtime).then((server) => ({ ...server, model, runtime, respond: (body: object) => server.post({ model: "support", input, ...body }, {}, "/v1/responses") }));
}

/** The events of a stream as they stand on the wire, each checked against the documented schema. */
function eventsIn(text: string) {
  return text.trim().split("\n\n").map((block) => {
    const [name = "", data = ""] = block.split("\n");
    const event = ResponseEvent.parse(JSON.parse(data.slice("data: ".length)));
    expect(name).toBe(`event: ${event.type}`);
    return event;
  });
}

describe("POST /v1/responses with the official client", () => {
  it("gives the whole answer, with its citations as annotations and as they are elsewhere", async () => {
    const { client, respond } = await start();
    const response = await client.responses.create({ model: "support", input, metadata: { order: "7" }, user: "ada", temperature: 0.5 });
    expect(response).toMatchObject({
      status: "completed",
      model: "support",
      output_text: "It is 1 MiB [1].",
      output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "It is 1 MiB [1].", annotations: [annotation] }], citations: [citation] }],
      usage: { input_tokens: 12, input_tokens_details: { cached_tokens: 4 }, output_tokens: 3, total_tokens: 15 },
      metadata: { order: "7" },
      user: "ada",
      temperature: 0.5,
      store: false,
    });
    expect(ResponseObject.safeParse(await (await respond({})).json()).error).toBeUndefined();
  });

  it("streams named, numbered events that build up the same response", async () => {
    const { client, respond } = await start();
    const events: ResponseStreamEvent[] = await Array.fromAsync(await client.responses.create({ model: "support", input, stream: true }));
    expect(events.map(({ type }) => type)).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.delta",
      "response.output_text.delta",
      "response.output_text.annotation.added",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
    expect(events.map((event) => event.sequence_number)).toEqual([...events.keys()]);
    expect(events.at(-1)).toMatchObject({ response: { status: "completed", output_text: "It is 1 MiB [1]." } });
    const wire = await (await respond({ stream: true })).text();
    expect(eventsIn(wire)).toHaveLength(12);
    expect(wire).not.toContain("[DONE]");
  });

  it("gives the streaming helper text, calls and the final response", async () => {
    const { client } = await start(scriptedModel(function* () {
      yield { type: "text", text: "Let me see. " };
      yield* wants(call, { ...call, id: "c2" });
    }));
    const stream = client.responses.stream({ model: "support", input, tools: [tool] });
    const deltas: string[] = [];
    stream.on("response.output_text.delta", ({ snapshot }) => deltas.push(snapshot));
    stream.on("response.function_call_arguments.delta", ({ snapshot }) => deltas.push(snapshot));
    const { output, status } = await stream.finalResponse();
    expect(deltas).toEqual(["Let me see. ", '{"a":1}', '{"a":1}']);
    expect(status).toBe("completed");
    expect(output).toMatchObject([
      { type: "message", content: [{ text: "Let me see. " }] },
      { type: "function_call", call_id: "c1", name: "look_up", arguments: '{"a":1}' },
      { type: "function_call", call_id: "c2" },
    ]);
  });

  it("streams the arguments of calls as they come, and numbers items in the order in which they began", async () => {
    const { client } = await start(scriptedModel(function* () {
      yield { type: "call_part", position: 0, begun: { id: "c1", name: "look_up" }, arguments: "" };
      yield { type: "call_part", position: 0, arguments: '{"a":' };
      yield { type: "text", text: "Let me see." };
      yield { type: "call_part", position: 0, arguments: "1}" };
      yield* wants(call, { ...call, id: "c2" });
    }));
    const stream = client.responses.stream({ model: "support", input, tools: [tool] });
    const told: (readonly [type: string, index: number | null])[] = [];
    stream.on("event", (event) => void told.push([event.type, "output_index" in event ? event.output_index : null]));
    const { output } = await stream.finalResponse();
    expect(told.filter(([type]) => /function_call|output_item/.test(type))).toEqual([
      ["response.output_item.added", 0],
      ["response.function_call_arguments.delta", 0],
      ["response.output_item.added", 1],
      ["response.function_call_arguments.delta", 0],
      ["response.output_item.done", 1],
      ["response.output_item.added", 2],
      ["response.function_call_arguments.delta", 2],
      ["response.function_call_arguments.done", 0],
      ["response.output_item.done", 0],
      ["response.function_call_arguments.done", 2],
      ["response.output_item.done", 2],
    ]);
    expect(output).toMatchObject([{ type: "function_call", call_id: "c1", arguments: '{"a":1}' }, { type: "message" }, { type: "function_call", call_id: "c2", arguments: '{"a":1}' }]);
  });

  it("passes on how hard the model is to think, and that it is to call one tool at a time", async () => {
    const { client, model } = await start();
    const response = await client.responses.create({ model: "support", input, tools: [tool], parallel_tool_calls: false, reasoning: { effort: "high", summary: "auto" } });
    expect(model.asked[0]).toMatchObject({ effort: "high", isSingleCall: true });
    expect(response).toMatchObject({ parallel_tool_calls: false, reasoning: { effort: "high", summary: null } });
  });

  it("asks for a JSON value that matches a schema, and the client parses it", async () => {
    const { client, model } = await start(scriptedModel(() => says('{"bytes": 1048576}')));
    const limit = z.strictObject({ bytes: z.int() });
    const response = await client.responses.parse({ model: "support", input, text: { format: zodTextFormat(limit, "limit") } });
    expect(response.output_parsed).toEqual({ bytes: 1048576 });
    expect(model.asked[0]).toMatchObject({ format: "json", schema: { name: "limit", schema: { properties: { bytes: { type: "integer" } }, required: ["bytes"] } } });
  });

  it("takes its own output back with the results of the calls", async () => {
    const answers = [() => wants(call), () => says("1 MiB")];
    const { client, model } = await start(scriptedModel(() => answers.shift()?.() ?? says("no more")));
    const first = await client.responses.create({ model: "support", instructions: "In English.", input, tools: [tool], tool_choice: { type: "function", name: "look_up" } });
    expect(first.output).toMatchObject([{ type: "function_call", call_id: "c1" }]);
    const second = await client.responses.create({
      model: "support",
      instructions: "In English.",
      tools: [tool],
      input: [{ role: "user", content: input }, ...first.output, { type: "function_call_output", call_id: "c1", output: "1048576" }] as never,
    });
    expect(second.output_text).toBe("1 MiB");
    expect(model.asked[0]).toMatchObject({ tools: [{ name: "look_up", description: "Looks it up", parameters: tool.parameters }], toolChoice: { name: "look_up" } });
    expect(model.asked[1]?.messages).toEqual([
      { role: "system", content: "Be brief." },
      { role: "system", content: "In English." },
      { role: "user", content: input },
      { role: "assistant", content: "", toolCalls: [call] },
      { role: "tool", content: "1048576", toolCallId: "c1" },
    ]);
  });

  it("gives the model images with the question", async () => {
    const { client, model } = await start();
    await client.responses.create({ model: "support", input: [{ role: "user", content: [{ type: "input_text", text: "What is this?" }, { type: "input_image", image_url: "data:image/png;base64,AA==", detail: "auto" }] }] });
    expect(model.asked[0]?.messages.at(-1)).toEqual({ role: "user", content: "What is this?", images: [{ url: "data:image/png;base64,AA==" }] });
  });

  it("goes on with a conversation as a session of the user", async () => {
    const { client, runtime } = await start();
    const response = await client.responses.create({ model: "support", input, conversation: "c-7", user: "ada" });
    expect(response.conversation).toEqual({ id: "c-7" });
    await client.responses.create({ model: "support", input, conversation: { id: "c-8" } });
    expect(runtime.requests.map(({ session }) => session)).toEqual([{ user: "/ada", session: "c-7" }, { user: "/", session: "c-8" }]);
  });

  it("says that an answer is incomplete, and why", async () => {
    const { client } = await start(scriptedModel(() => [{ type: "text", text: "It" }, { type: "end", finishReason: "length", usage: { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0 }, model: "m" }]));
    expect(await client.responses.create({ model: "support", input, max_output_tokens: 1 })).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" }, output: [{ status: "incomplete" }] });
    const events = await Array.fromAsync(await client.responses.create({ model: "support", input, stream: true }));
    expect(events.at(-1)).toMatchObject({ type: "response.incomplete", response: { incomplete_details: { reason: "max_output_tokens" } } });
  });

  it("tells a failure on the way in an event, which the client throws, and ends in response.failed", async () => {
    const { client, respond } = await start(scriptedModel(function* () {
      yield { type: "text", text: "It " };
      throw new TwelveError("SERVICE_FAILED", "The model broke off");
    }));
    await expect(client.responses.create({ model: "support", input, stream: true }).then((stream) => Array.fromAsync(stream))).rejects.toThrow("The model broke off");
    const events = eventsIn(await (await respond({ stream: true })).text());
    expect(events.slice(-2)).toMatchObject([
      { type: "error", code: "service_failed", message: "The model broke off", trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) },
      { type: "response.failed", response: { status: "failed", error: { code: "server_error", message: expect.stringContaining("The model broke off (trace ") } } },
    ]);
  });

  it("answers a failure before the first word with its own status", async () => {
    const { respond } = await start(scriptedModel(() => { throw new TwelveError("MODEL_UNABLE", "The model takes no images"); }));
    const response = await respond({ stream: true });
    expect([response.status, await response.json()]).toMatchObject([400, { error: { code: "model_unable", trace_id: expect.any(String) } }]);
  });

  it.each([
    [{ previous_response_id: "resp_1" }, "previous_response_id", "Responses are not kept. Name a conversation with `conversation`, or send the earlier items again"],
    [{ input: [{ type: "item_reference", id: "msg_1" }] }, "input[0].type", "nothing can be referred to"],
    [{ input: [{ type: "reasoning", id: "r", summary: [] }] }, "input[0].type", "Items of type reasoning are not supported; message, function_call and function_call_output are"],
    [{ tools: [{ type: "web_search" }] }, "tools[0].type", "Only tools of type function are supported"],
    [{ reasoning: { effort: "low", mode: "pro" } }, "reasoning.mode", "Only the mode standard is supported"],
    [{ background: true }, "background", "Responses are not made in the background"],
    [{ conversation: "" }, "conversation", "Too small"],
    [{ conversation: "c-7", input: [{ role: "user", content: "a" }, { role: "assistant", content: "b" }, { role: "user", content: "c" }] }, null, "a request holds the new turn alone"],
    [{ input: [{ role: "user", content: "a" }, { type: "function_call_output", call_id: "c1", output: "b" }] }, null, "The result of the call c1 answers no call that stands before it"],
  ])("refuses %j", async (change, param, complaint) => {
    const { respond } = await start();
    const response = await respond(change);
    expect([response.status, await response.json()]).toMatchObject([400, { error: { type: "invalid_request_error", param, message: expect.stringContaining(complaint) } }]);
  });
});
