import { zodResponseFormat } from "openai/helpers/zod";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { ChatChunk, ChatCompletion } from "../../../src/run/http/chat-schema.ts";
import { openAgent, runtimeOf, says, scriptedModel, wants } from "../fixture.ts";
import { ask, startServer } from "./fixture.ts";

const call = { id: "c1", name: "look_up", arguments: '{"a":1}' };
const wireCall = { id: "c1", type: "function", function: { name: "look_up", arguments: '{"a":1}' } } as const;
const parameters = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] };
const tool = { type: "function", function: { name: "look_up", description: "Looks it up", parameters } } as const;
const request = { model: ask.model, messages: [...ask.messages], tools: [tool] };

async function start(model = scriptedModel(() => wants(call, { ...call, id: "c2" }))) {
  return { model, ...(await startServer(runtimeOf(openAgent(model)))) };
}

describe("tools of the caller, with the official client", () => {
  it("offers them to the model and passes its calls on", async () => {
    const { client, model } = await start();
    const { choices } = await client.chat.completions.create({ ...request, tool_choice: "required" });
    expect(choices).toMatchObject([{ finish_reason: "tool_calls", message: { content: null, tool_calls: [wireCall, { ...wireCall, id: "c2" }] } }]);
    expect(model.asked[0]).toMatchObject({ tools: [{ name: "look_up", description: "Looks it up", parameters }], toolChoice: "required" });
  });

  it("streams each call in a chunk of its own before the reason it ended", async () => {
    const { client } = await start();
    const chunks = await Array.fromAsync(await client.chat.completions.create({ ...request, stream: true }));
    expect(chunks.map(({ choices: [choice] }) => [choice?.delta.tool_calls ?? null, choice?.finish_reason])).toEqual([
      [null, null],
      [[{ index: 0, ...wireCall }], null],
      [[{ index: 1, ...wireCall, id: "c2" }], null],
      [null, "tool_calls"],
    ]);
    const final = await client.chat.completions.stream(request).finalChatCompletion();
    expect(final.choices[0]?.message.tool_calls).toMatchObject([wireCall, { ...wireCall, id: "c2" }]);
  });

  it("streams a call as it comes, and what is left of it at the end", async () => {
    const { client, post } = await start(scriptedModel(function* () {
      yield { type: "call_part", position: 0, begun: { id: "c1", name: "look_up" }, arguments: "" };
      yield { type: "call_part", position: 0, arguments: '{"a"' };
      yield { type: "call_part", position: 1, begun: { id: "c2", name: "look_up" }, arguments: "" };
      yield* wants(call, { ...call, id: "c2", arguments: "{}" });
    }));
    const chunks = await Array.fromAsync(await client.chat.completions.create({ ...request, stream: true }));
    expect(chunks.flatMap(({ choices: [choice] }) => choice?.delta.tool_calls ?? [])).toEqual([
      { index: 0, id: "c1", type: "function", function: { name: "look_up", arguments: "" } },
      { index: 0, function: { arguments: '{"a"' } },
      { index: 1, id: "c2", type: "function", function: { name: "look_up", arguments: "" } },
      { index: 0, function: { arguments: ":1}" } },
      { index: 1, function: { arguments: "{}" } },
    ]);
    const final = await client.chat.completions.stream(request).finalChatCompletion();
    expect(final.choices[0]?.message.tool_calls).toMatchObject([wireCall, { id: "c2", function: { arguments: "{}" } }]);
    const events = (await (await post({ ...request, stream: true })).text()).trim().split("\n\n").map((line) => line.slice("data: ".length));
    for (const event of events.slice(0, -1)) expect(ChatChunk.safeParse(JSON.parse(event)).error).toBeUndefined();
  });

  it("asks for calls in pieces only where somebody reads them", async () => {
    const { client, model } = await start();
    await client.chat.completions.create(request);
    await Array.fromAsync(await client.chat.completions.create({ ...request, tools: [], stream: true }));
    await Array.fromAsync(await client.chat.completions.create({ ...request, stream: true }));
    expect(model.asked.map(({ isCallStreamed = false }) => isCallStreamed)).toEqual([false, false, true]);
  });

  it("goes on with the results of the calls", async () => {
    const answers = [() => wants(call), () => says("1 MiB")];
    const { client, model } = await start(scriptedModel(() => answers.shift()?.() ?? says("no more")));
    const first = await client.chat.completions.create(request);
    const reply = first.choices[0]?.message;
    if (reply === undefined) throw new Error("no answer");
    const second = await client.chat.completions.create({ ...request, messages: [...request.messages, reply, { role: "tool", tool_call_id: "c1", content: [{ type: "text", text: "1048576" }] }] });
    expect(second.choices[0]?.message.content).toBe("1 MiB");
    expect(model.asked[1]?.messages.slice(1)).toEqual([
      { role: "user", content: "What is the body limit?" },
      { role: "assistant", content: "", toolCalls: [call] },
      { role: "tool", content: "1048576", toolCallId: "c1" },
    ]);
  });

  it("runs the client's own loop to its end", async () => {
    const answers = [() => wants(call), () => says("It is 1 MiB.")];
    const { client } = await start(scriptedModel(() => answers.shift()?.() ?? says("no more")));
    const asked: unknown[] = [];
    const runner = client.chat.completions.runTools({
      ...request,
      tools: [{ type: "function", function: { ...tool.function, parse: JSON.parse, function: (given: unknown) => (asked.push(given), "1048576") } }],
    });
    expect(await runner.finalContent()).toBe("It is 1 MiB.");
    expect(asked).toEqual([{ a: 1 }]);
  });

  it.each([
    [[{ role: "assistant", content: null, tool_calls: [wireCall] }, { role: "user", content: "And?" }], "The call c1 must be answered with the results of the tools"],
    [[{ role: "assistant", content: null, tool_calls: [wireCall, { ...wireCall, id: "c2" }] }, { role: "tool", tool_call_id: "c1", content: "x" }], "The call c2 must be answered"],
    [[{ role: "tool", tool_call_id: "c1", content: "x" }], "The result of the call c1 answers no call that stands before it"],
  ])("refuses calls without results, and results without calls", async (more, complaint) => {
    const { post } = await start();
    const response = await post({ ...request, messages: [...request.messages, ...more] });
    expect([response.status, await response.json()]).toMatchObject([400, { error: { message: expect.stringContaining(complaint) } }]);
  });
});

describe("what a model is given", () => {
  it("is the schema that the answer must match, which the client parses by", async () => {
    const { client, model } = await start(scriptedModel(() => says('{"bytes": 1048576}')));
    const completion = await client.chat.completions.parse({ ...ask, messages: [...ask.messages], response_format: zodResponseFormat(z.strictObject({ bytes: z.int() }), "limit") });
    expect(completion.choices[0]?.message.parsed).toEqual({ bytes: 1048576 });
    expect(model.asked[0]).toMatchObject({ format: "json", schema: { name: "limit", schema: { required: ["bytes"] } } });
  });

  it("is what describes the schema, too", async () => {
    const { post, model } = await start(scriptedModel(() => says("{}")));
    await post({ ...ask, response_format: { type: "json_schema", json_schema: { name: "limit", description: "The limit", schema: { type: "object" } } } });
    expect(model.asked[0]?.schema).toEqual({ name: "limit", schema: { type: "object", description: "The limit" } });
  });

  it("is one call at a time, and how hard to think", async () => {
    const { client, model } = await start();
    await client.chat.completions.create({ ...request, parallel_tool_calls: false, reasoning_effort: "low" });
    await client.chat.completions.create({ ...request, parallel_tool_calls: true });
    expect(model.asked).toMatchObject([{ isSingleCall: true, effort: "low" }, {}]);
    expect(model.asked[1]?.isSingleCall).toBeUndefined();
  });

  it("is who speaks, and how closely to look", async () => {
    const { client, model } = await start(scriptedModel(() => says("A sensor")));
    const image = { type: "image_url", image_url: { url: "https://example.com/a.png", detail: "low" } } as const;
    await client.chat.completions.create({ model: "support", messages: [{ role: "user", name: "Ann", content: "Hello" }, { role: "assistant", name: "bot", content: "Hello!" }, { role: "user", name: "Bob", content: [{ type: "text", text: "What is this?" }, image] }] });
    expect(model.asked[0]?.messages.slice(1)).toMatchObject([{ name: "Ann" }, { name: "bot" }, { content: "What is this?", images: [{ url: image.image_url.url, detail: "low" }] }]);
  });

  it("is images by their address or their bytes", async () => {
    const { client, model } = await start(scriptedModel(() => says("A sensor")));
    const urls = ["https://example.com/a.png", "data:image/png;base64,AA=="];
    await client.chat.completions.create({ model: "support", messages: [{ role: "user", content: [{ type: "text", text: "What is this?" }, ...urls.map((url) => ({ type: "image_url" as const, image_url: { url } }))] }] });
    expect(model.asked[0]?.messages.at(-1)).toEqual({ role: "user", content: "What is this?", images: urls.map((url) => ({ url })) });
  });
});

describe("the documented schemas", () => {
  it("are what is answered", async () => {
    const { post } = await start(scriptedModel(function* () {
      yield { type: "text", text: "It is 1 MiB [1]." };
      yield* wants(call);
    }));
    expect(ChatCompletion.safeParse(await (await post(request)).json()).error).toBeUndefined();
    const text = await (await post({ ...request, stream: true, stream_options: { include_usage: true } })).text();
    const events = text.trim().split("\n\n").map((line) => line.slice("data: ".length));
    expect(events.pop()).toBe("[DONE]");
    for (const event of events) expect(ChatChunk.safeParse(JSON.parse(event)).error).toBeUndefined();
  });
});
