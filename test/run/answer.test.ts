import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/descriptor.ts";
import { TwelveError } from "../../src/core/errors.ts";
import type { ModelRequest } from "../../src/ports/model.ts";
import type { AnswerRequest } from "../../src/run/schema.ts";
import { ModelCallEvent } from "../../src/run/schema.ts";
import { candidates, chunks, openAgent, runtimeOf, says, saysAndHangs, scriptedModel } from "./fixture.ts";

const request: AnswerRequest = { agent: "support", messages: [{ role: "user", content: "What is the limit?" }], variables: {}, isStream: false, traceId: "4bf92f3577b34da6a3ce929d0e0e4736" };

describe("an answer", () => {
  it("rests on what was retrieved, cites it, and writes one event with every field", async () => {
    const model = scriptedModel(() => says("1 MiB [2].", " Mail ann@example.org"));
    const runtime = runtimeOf(openAgent(model));
    const parts = await Array.fromAsync(runtime.answer(request));
    const [second] = chunks.slice(1);
    expect(parts.at(-1)).toMatchObject({ type: "end", answer: { text: "1 MiB [2]. Mail ann@example.org", finishReason: "stop", model: "parrot-1-2026", retrieved: chunks, citations: [second], costUsd: null, usage: { inputTokens: 12 } } });
    expect(model.asked).toMatchObject([{ question: "What is the limit?", passages: chunks, temperature: 0.2 }]);
    expect(runtime.events.map((event) => ModelCallEvent.parse(event))).toEqual([
      {
        event: "model-call-finished",
        time: expect.stringMatching(/^2026-01-01T00:00:00\.\d{3}Z$/),
        trace_id: request.traceId,
        span_id: "0000000000000001",
        "twelve.app": "demo",
        "twelve.environment": "staging",
        "twelve.release.number": 3,
        "twelve.release.digest": digestOf("release"),
        "gen_ai.operation.name": "chat",
        "gen_ai.agent.name": "support",
        "gen_ai.prompt.name": "answer",
        "gen_ai.prompt.version": digestOf("prompt"),
        "gen_ai.provider.name": "scripted",
        "gen_ai.request.model": "parrot-1",
        "gen_ai.response.model": "parrot-1-2026",
        "gen_ai.response.id": "r-1",
        "gen_ai.request.stream": false,
        "gen_ai.request.temperature": 0.2,
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "twelve.usage.estimated": false,
        "gen_ai.response.time_to_first_chunk": expect.any(Number),
        "gen_ai.response.finish_reasons": ["stop"],
        "twelve.duration_ms": expect.any(Number),
        "twelve.retrieval_ms": expect.any(Number),
        "twelve.cost.amount": null,
        "twelve.cost.currency": "USD",
        "twelve.cost.price_table": expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
        "twelve.index.ref": digestOf("index"),
        "gen_ai.retrieval.documents": [{ id: "c-1", score: 0.9 }, { id: "c-2", score: 0.5 }],
        "twelve.response.digest": digestOf("1 MiB [2]. Mail ann@example.org"),
        "twelve.response.text": null,
        "twelve.aborted": false,
        "twelve.fallback.used": false,
        "twelve.fallback.failed": [],
        "error.type": null,
        "error.message": null,
      },
    ]);
  });

  it("is written to the log only on demand, and then without personal data", async () => {
    const agent = openAgent(scriptedModel(() => says("Mail ann@example.org")));
    const runtime = runtimeOf({ ...agent, frame: { ...agent.frame, isContentLogged: true } });
    const parts = await Array.fromAsync(runtime.answer(request));
    expect(parts[0]).toEqual({ type: "text", text: "Mail ann@example.org" });
    expect(runtime.events).toMatchObject([{ "twelve.response.text": "Mail [email]" }]);
  });

  it("of an agent without retrieval searches nothing", async () => {
    const model = scriptedModel(() => says("[1]"));
    const runtime = runtimeOf(openAgent(model, { search: undefined }));
    expect((await Array.fromAsync(runtime.answer(request))).at(-1)).toMatchObject({ answer: { retrieved: [], citations: [] } });
    expect(runtime.events).toMatchObject([{ "twelve.retrieval_ms": null, "gen_ai.retrieval.documents": [] }]);
  });

  it.each([
    ["the search fails", { search: () => Promise.reject(new TwelveError("SERVICE_FAILED", "No index for ann@example.org")) }, "SERVICE_FAILED", "No index for [email]", null],
    ["the model ends without an end", candidates(scriptedModel(() => [{ type: "text", text: "Half" }])), "SERVICE_CUT", "The model scripted:parrot-1 broke off its answer", 1],
    ["the model ends with an error", candidates(scriptedModel(() => [{ type: "end", finishReason: "error", usage: { inputTokens: 5, outputTokens: 0, cachedInputTokens: 0 }, model: "m" }])), "SERVICE_FAILED", "The model scripted:parrot-1 ended its answer with an error", 0],
  ])("leaves an event when %s", async (_what, change, code, message, outputTokens) => {
    const runtime = runtimeOf(openAgent(scriptedModel(() => says("x")), change));
    await expect(Array.fromAsync(runtime.answer(request))).rejects.toMatchObject({ code });
    expect(runtime.events).toMatchObject([{ "error.type": code, "error.message": message, "gen_ai.response.finish_reasons": ["error"], "gen_ai.usage.output_tokens": outputTokens, "twelve.aborted": false }]);
  });

  it("leaves an event when its reader stops reading", async () => {
    const runtime = runtimeOf(openAgent(scriptedModel((asked) => saysAndHangs("Half", asked))));
    for await (const part of runtime.answer(request)) if (part.type === "text") break;
    expect(runtime.events).toMatchObject([{ "twelve.aborted": true, "error.type": null, "twelve.response.digest": digestOf("Half"), "twelve.usage.estimated": true }]);
  });

  it("holds what the model wants called, and nothing of what it thinks; tokens that an adapter estimated are marked", async () => {
    const call = { id: "c1", name: "look_up", arguments: "{}" };
    const usage = { inputTokens: 5, outputTokens: 1, cachedInputTokens: 0 };
    const runtime = runtimeOf(openAgent(scriptedModel(() => [{ type: "reasoning", text: "Hm" }, { type: "text", text: "Wait." }, { type: "tool_call", call }, { type: "end", finishReason: "tool_calls", usage, isUsageEstimated: true, model: "m" }])));
    const parts = await Array.fromAsync(runtime.answer(request));
    expect(parts).toMatchObject([{ type: "text", text: "Wait." }, { type: "end", answer: { text: "Wait.", toolCalls: [call], finishReason: "tool_calls", reference: "scripted:parrot-1" } }]);
    expect(runtime.events).toMatchObject([{ "gen_ai.response.finish_reasons": ["tool_calls"], "twelve.usage.estimated": true, "twelve.response.digest": digestOf("Wait.") }]);
  });

  it("comes from the second model where the first fails, and costs what that one costs", async () => {
    const first = scriptedModel(() => { throw new TwelveError("SERVICE_QUOTA", "Paid up by ann@example.org"); });
    const second = { ...scriptedModel(() => says("Yes")), provider: "mock", id: "second" };
    const runtime = runtimeOf(openAgent(first, candidates(first, second)));
    expect((await Array.fromAsync(runtime.answer(request))).at(-1)).toMatchObject({ answer: { reference: "mock:second", costUsd: 0 } });
    expect(runtime.events).toMatchObject([{
      "gen_ai.provider.name": "mock", "gen_ai.request.model": "second", "gen_ai.response.model": "parrot-1-2026", "twelve.cost.amount": 0, "twelve.fallback.used": true, "error.type": null,
      "twelve.fallback.failed": [{ model: "scripted:parrot-1", "error.type": "SERVICE_QUOTA", "error.message": "Paid up by [email]" }],
    }]);
  });

  it("counts what was sent before anything was said, and what the model wanted called, when its client goes away", async () => {
    const leaving = new AbortController();
    const silent = runtimeOf(openAgent(scriptedModel(({ signal }) => {
      setImmediate(() => leaving.abort(new Error("gone")));
      return saysAndHangs("", { signal } as ModelRequest);
    })));
    await expect(Array.fromAsync(silent.answer({ ...request, signal: leaving.signal }))).rejects.toThrow("gone");
    expect(silent.events).toMatchObject([{ "twelve.aborted": true, "twelve.usage.estimated": true, "gen_ai.usage.input_tokens": expect.any(Number), "gen_ai.usage.output_tokens": 0 }]);
    const call = { id: "c1", name: "look_up", arguments: '{"order":7}' };
    const calling = runtimeOf(openAgent(scriptedModel(() => [{ type: "tool_call", call }])));
    await expect(Array.fromAsync(calling.answer(request))).rejects.toMatchObject({ code: "SERVICE_CUT" });
    const outputTokens = calling.events[0]?.["gen_ai.usage.output_tokens"];
    expect(outputTokens).toBeGreaterThan(2);
    const [begun, rest] = [{ type: "call_part", position: 0, begun: { id: "c1", name: "look_up" }, arguments: "" }, { type: "call_part", position: 0, arguments: '{"order":7}' }] as const;
    for (const pieces of [[begun, rest], [begun, rest, { type: "tool_call", call }] as const]) {
      const inPieces = runtimeOf(openAgent(scriptedModel(() => pieces)));
      await expect(Array.fromAsync(inPieces.answer(request))).rejects.toMatchObject({ code: "SERVICE_CUT" });
      expect(inPieces.events[0]?.["gen_ai.usage.output_tokens"]).toBe(outputTokens);
    }
  });

  it("is aborted while it is searched for", async () => {
    const controller = new AbortController();
    const model = scriptedModel(() => says("x"));
    const search = () => {
      controller.abort(new Error("gone"));
      return Promise.resolve(chunks);
    };
    const runtime = runtimeOf(openAgent(model, { search }));
    await expect(Array.fromAsync(runtime.answer({ ...request, signal: controller.signal }))).rejects.toThrow("gone");
    expect(model.asked).toEqual([]);
    expect(runtime.events).toMatchObject([{ "twelve.aborted": true, "gen_ai.usage.input_tokens": null, "twelve.response.digest": null }]);
  });
});
