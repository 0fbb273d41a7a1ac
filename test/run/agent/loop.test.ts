import { describe, expect, it } from "vitest";
import { TwelveError } from "../../../src/core/errors.ts";
import { ModelCallEvent, type Answer, type AnswerPart, type AnswerRequest } from "../../../src/run/schema.ts";
import { ToolCallEvent } from "../../../src/run/agent/schema.ts";
import { chunks, saysAndHangs } from "../fixture.ts";
import { fakeAgents, fakeTool, replies } from "./fixture.ts";

const request: AnswerRequest = { agent: "support", messages: [{ role: "user", content: "Where is order 7?" }], variables: {}, isStream: true, traceId: "4bf92f3577b34da6a3ce929d0e0e4736", caller: "shop" };

async function answerOf(parts: AsyncIterable<AnswerPart>): Promise<{ readonly text: string; readonly answer: Answer }> {
  let text = "";
  for await (const part of parts) {
    if (part.type === "end") return { text, answer: part.answer };
    if (part.type === "text") text += part.text;
  }
  throw new Error("There was no end");
}

describe("an agent with tools", () => {
  it("calls what the model asks for, gives it the results, and sums up what all took", async () => {
    const look = fakeTool("look_up", (given) => `on its way: ${JSON.stringify(given)}`);
    const agents = fakeAgents(replies({ say: "I look.", call: [["look_up", '{"order":7}']] }, "It comes tomorrow [1]."), { tools: [look] });
    const { text, answer } = await answerOf(agents.answer(request));
    expect(text).toBe("I look.\n\nIt comes tomorrow [1].");
    expect(answer).toMatchObject({ text, toolCalls: [], finishReason: "stop", usage: { inputTokens: 20, outputTokens: 10, cachedInputTokens: 4 }, citations: [chunks[0]], retrieved: chunks, costUsd: null, model: "parrot-1-2026" });
    expect(answer.made).toEqual([
      { role: "assistant", content: "I look.", toolCalls: [{ id: "model_0", name: "look_up", arguments: '{"order":7}' }] },
      { role: "tool", content: 'on its way: {"order":7}', toolCallId: "model_0" },
      { role: "assistant", content: "It comes tomorrow [1]." },
    ]);
    expect(look.calls).toMatchObject([{ given: { order: 7 }, options: { agent: "support", user: "shop", traceparent: expect.stringMatching(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/) } }]);
    expect(look.calls[0]?.options.callId).toBe(`${look.calls[0]?.options.run}/call_1_1`);
    expect(agents.asked[0]?.tools).toEqual([{ name: "look_up", description: "Does look_up", parameters: { type: "object", properties: {} } }]);
    expect(agents.asked[1]?.messages.slice(-2)).toEqual(answer.made?.slice(0, 2));
  });

  it("retrieves once, and writes one event for each model call and each tool call, with run and step", async () => {
    const agents = fakeAgents(replies({ call: [["look_up", "{}"]] }, "Done."), { tools: [fakeTool("look_up", () => "found")] });
    await answerOf(agents.answer(request));
    expect(agents.asked.map(({ passages }) => passages)).toEqual([chunks, chunks]);
    const run = agents.toolEvents[0]?.["twelve.run.id"];
    expect(agents.events.map((event) => ModelCallEvent.parse(event))).toMatchObject([1, 2].map((step) => ({ trace_id: request.traceId, "twelve.run.id": run, "twelve.run.step": step })));
    expect(agents.toolEvents.map((event) => ToolCallEvent.parse(event))).toMatchObject([{ trace_id: request.traceId, "gen_ai.tool.name": "look_up", "gen_ai.tool.call.id": "call_1_1", "twelve.run.step": 1, "twelve.tool.attempt": 1, "twelve.tool.outcome_unknown": false, "twelve.tool.is_error": false, "error.type": null }]);
  });

  it("calls tools together where all may be repeated, else one after the other; results come in the order of the calls", async () => {
    for (const isIdempotent of [true, false]) {
      let running = 0;
      let most = 0;
      const tool = (name: string, change = {}) => fakeTool(name, async () => {
        most = Math.max(most, (running += 1));
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return { content: name, isError: false };
      }, change);
      const agents = fakeAgents(replies({ call: [["a", "{}"], ["b", "{}"], ["c", "{}"]] }, "Done."), { tools: [tool("a"), tool("b", { isIdempotent }), tool("c")] });
      const { answer } = await answerOf(agents.answer(request));
      expect(answer.made?.slice(1, 4).map(({ content }) => content)).toEqual(["a", "b", "c"]);
      expect(most).toBe(isIdempotent ? 3 : 1);
    }
  });

  it("tells the model what was wrong with a call", async () => {
    const broken = fakeTool("broken", () => Promise.reject(new TwelveError("SERVICE_DENIED", "No entry")));
    const buggy = fakeTool("buggy", () => Promise.reject(new TypeError("x is undefined")));
    const said = fakeTool("said", () => Promise.resolve({ content: "There is no order 9", isError: true }));
    const agents = fakeAgents(replies({ call: [["lok_up", "{}"], ["said", "{order:"], ["broken", ""], ["buggy", "{}"], ["said", "{}"]] }, "Sorry."), { tools: [broken, buggy, said, fakeTool("look_up", () => "")] });
    const { answer } = await answerOf(agents.answer(request));
    expect(answer.made?.slice(1, 6)).toEqual([
      'There is no tool "lok_up". Did you mean "look_up"? There is: broken, buggy, said, look_up',
      expect.stringMatching(/^The arguments are no JSON: /),
      "The call failed: No entry",
      "The call failed: x is undefined",
      "There is no order 9",
    ].map((content, index) => ({ role: "tool", content, toolCallId: `model_${index}`, isError: true })));
    expect(agents.toolEvents.map((event) => event["error.type"])).toEqual(expect.arrayContaining([null, "SERVICE_DENIED", "TypeError"]));
    expect([said.calls.length, broken.calls[0]?.given]).toEqual([1, {}]);
  });

  it("asks a tool again that may answer later, unless it must not be called twice", async () => {
    for (const isIdempotent of [true, false]) {
      let count = 0;
      const tool = fakeTool("flaky", () => ((count += 1) === 1 ? Promise.reject(new TwelveError("SERVICE_TIMEOUT", "Too slow", { retry: { afterMs: 0 } })) : "there"), { isIdempotent });
      const agents = fakeAgents(replies({ call: [["flaky", "{}"]] }, "Done."), { tools: [tool] });
      const { answer } = await answerOf(agents.answer(request));
      expect(answer.made?.[1]).toMatchObject(isIdempotent ? { content: "there" } : { content: "The call failed: Too slow. Whether it was carried out is unknown", isError: true });
      expect(agents.toolEvents).toMatchObject([{ "twelve.tool.outcome_unknown": !isIdempotent }]);
      expect(tool.calls).toHaveLength(isIdempotent ? 2 : 1);
    }
  });

  it.each([
    ["hung up on", new TwelveError("SERVICE_UNAVAILABLE", "Reset"), true],
    ["answered 500", new TwelveError("SERVICE_UNAVAILABLE", "answered 500"), true],
    ["led elsewhere", new TwelveError("SERVICE_FAILED", "answered 303"), true],
    ["broken", new TypeError("x is undefined"), true],
    ["never connected", new TwelveError("SERVICE_UNAVAILABLE", "Nothing answers", { isUnsent: true }), false],
    ["denied", new TwelveError("SERVICE_DENIED", "No entry"), false],
    ["stopped by its source", { content: "Stopped", isError: true, isUnknown: true }, true],
  ])("tells whether a call that must not be made twice may have been carried out: %s", async (_, outcome, isUnknown) => {
    for (const isIdempotent of [false, true]) {
      const tool = fakeTool("refund", () => (outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome)), { isIdempotent });
      const agents = fakeAgents(replies({ call: [["refund", "{}"]] }, "Done."), { tools: [tool] });
      await answerOf(agents.answer(request));
      expect(agents.toolEvents).toMatchObject([{ "twelve.tool.is_error": true, "twelve.tool.outcome_unknown": isUnknown && !isIdempotent }]);
    }
  });

  it("ends at its limits, without calls that nobody would read of", async () => {
    const forever = replies(...Array.from({ length: 30 }, (_, index) => ({ say: `step ${index + 1}`, call: [["look_up", "{}"]] as const })));
    for (const [limits, calls, models] of [[{}, 19, 20], [{ steps: 3 }, 2, 3], [{ tokens: 30 }, 1, 2], [{ costUsd: 1 }, 0, 1]] as const) {
      const tool = fakeTool("look_up", () => "more");
      const agents = fakeAgents(forever, { tools: [tool], limits });
      const { answer } = await answerOf(agents.answer(request));
      expect([answer.finishReason, tool.calls.length, agents.asked.length]).toEqual(["length", calls, models]);
      expect(answer.made?.at(-1)).toEqual({ role: "assistant", content: `step ${models}` });
    }
  });

  it("ends when its time is up, in the middle of a call too", async () => {
    const hanging = fakeTool("hang", (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))));
    const inTool = fakeAgents(replies({ call: [["hang", "{}"]] }, "Never."), { tools: [hanging], limits: { seconds: 0.05 } });
    expect((await answerOf(inTool.answer(request))).answer).toMatchObject({ finishReason: "length", made: [{ role: "assistant" }, { role: "tool", content: "The time of the run was up during this call" }] });
    expect(inTool.asked).toHaveLength(1);
    const inModel = fakeAgents((asked) => saysAndHangs("Let me", asked), { tools: [hanging], limits: { seconds: 0.05 } });
    expect(await answerOf(inModel.answer(request))).toMatchObject({ text: "Let me", answer: { finishReason: "length", text: "" } });
  });

  it("fails with the model's failure, and takes no tools from a caller", async () => {
    const agents = fakeAgents(() => { throw new TwelveError("SERVICE_REJECTED", "Too long", { fix: "Shorten it" }); }, { tools: [fakeTool("look_up", () => "")] });
    await expect(answerOf(agents.answer(request))).rejects.toMatchObject({ code: "SERVICE_REJECTED", message: "Too long", fix: "Shorten it" });
    await expect(answerOf(agents.answer({ ...request, tools: [{ name: "x", parameters: {} }] }))).rejects.toMatchObject({ code: "REQUEST_INVALID" });
  });

  it("ends with its reader, and the call that is under way too", async () => {
    const begun = Promise.withResolvers<AbortSignal>();
    const tool = fakeTool("hang", (_, { signal }) => new Promise((_resolve, reject) => {
      begun.resolve(signal);
      signal.addEventListener("abort", () => reject(signal.reason as Error));
    }));
    const agents = fakeAgents(replies({ call: [["hang", "{}"]] }), { tools: [tool] });
    const reader = new AbortController();
    const answering = answerOf(agents.answer({ ...request, signal: reader.signal }));
    const signal = await begun.promise;
    reader.abort(new Error("gone"));
    await expect(answering).rejects.toThrow("gone");
    expect(signal.aborted).toBe(true);
    expect(agents.asked).toHaveLength(1);
    expect(agents.toolEvents).toMatchObject([{ "twelve.tool.is_error": true, "error.type": "Error" }]);
  });
});
