import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, isStepCount, type LanguageModel, Output, streamText, tool } from "ai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { TwelveError } from "../../../src/core/errors.ts";
import type { Model } from "../../../src/ports/model.ts";
import { openAgent, runtimeOf, says, scriptedModel, wants } from "../fixture.ts";
import { startServer } from "./fixture.ts";

const call = { id: "c1", name: "lookUp", arguments: '{"a":1}' };
const lookUp = tool({ description: "Looks it up", inputSchema: z.object({ a: z.int() }), execute: ({ a }) => `${a} MiB` });
const calling = () => {
  const answers = [() => wants(call), () => says("It is ", "1 MiB [1].")];
  return scriptedModel(() => answers.shift()?.() ?? says("no more"));
};

/** The same agent by each of the APIs that the `ai` package speaks. */
const providers: readonly (readonly [string, (baseURL: string) => LanguageModel])[] = [
  ["its default model, which speaks responses", (baseURL) => createOpenAI({ baseURL, apiKey: "none" })("support")],
  ["its chat model", (baseURL) => createOpenAI({ baseURL, apiKey: "none" }).chat("support")],
  ["its model for compatible servers", (baseURL) => createOpenAICompatible({ name: "twelve", baseURL, supportsStructuredOutputs: true })("support")],
];

async function start(model: Model & { readonly asked: readonly unknown[] }, open: (baseURL: string) => LanguageModel) {
  const runtime = runtimeOf(openAgent(model));
  const { url } = await startServer(runtime);
  return { model: open(`${url}/v1`), runtime, url };
}

describe.each(providers)("the ai package with %s", (_name, open) => {
  it("generates text", async () => {
    const { model } = await start(scriptedModel(() => says("It is ", "1 MiB [1].")), open);
    const { text, usage, finishReason } = await generateText({ model, instructions: "In English.", prompt: "What is the body limit?", maxRetries: 0 });
    expect([text, finishReason, usage.inputTokens, usage.outputTokens]).toEqual(["It is 1 MiB [1].", "stop", 12, 3]);
  });

  it("streams text, calls its tool and goes on with the result", async () => {
    const scripted = calling();
    const { model } = await start(scripted, open);
    const result = streamText({ model, prompt: "What is the body limit?", tools: { lookUp }, stopWhen: isStepCount(3), maxRetries: 0 });
    expect(await Array.fromAsync(result.textStream)).toEqual(["It is ", "1 MiB [1]."]);
    expect((await result.steps)[0]?.toolResults).toMatchObject([{ toolName: "lookUp", input: { a: 1 }, output: "1 MiB" }]);
    expect(scripted.asked[1]).toMatchObject({
      tools: [{ name: "lookUp", parameters: { properties: { a: { type: "integer" } } } }],
      messages: [{ role: "system" }, { role: "user" }, { role: "assistant", toolCalls: [call] }, { role: "tool", content: "1 MiB", toolCallId: "c1" }],
    });
  });

  it("streams the input of its tool as it comes, also where the model may only call one tool and is told how hard to think", async () => {
    const scripted = scriptedModel(function* () {
      yield { type: "call_part", position: 0, begun: { id: "c1", name: "lookUp" }, arguments: '{"a"' };
      yield { type: "call_part", position: 0, arguments: ":1}" };
      yield* wants(call);
    });
    const { model } = await start(scripted, open);
    const providerOptions = { openai: { parallelToolCalls: false, reasoningEffort: "low", forceReasoning: true, store: false }, twelve: { reasoningEffort: "low" } };
    const result = streamText({ model, prompt: "What is the body limit?", tools: { lookUp }, providerOptions, maxRetries: 0 });
    const pieces = (await Array.fromAsync(result.fullStream)).flatMap((part) => (part.type === "tool-input-delta" ? [part.delta] : []));
    expect(pieces).toEqual(['{"a"', ":1}"]);
    expect(await result.toolResults).toMatchObject([{ toolName: "lookUp", input: { a: 1 }, output: "1 MiB" }]);
    expect(scripted.asked[0]).toMatchObject({ effort: "low" });
  });

  it("generates an object that matches its schema", async () => {
    const scripted = scriptedModel(() => says('{"bytes": ', "1048576}"));
    const { model } = await start(scripted, open);
    const { output } = await generateText({ model, prompt: "What is the body limit?", output: Output.object({ schema: z.object({ bytes: z.int() }) }), maxRetries: 0 });
    expect(output).toEqual({ bytes: 1048576 });
    expect(scripted.asked[0]).toMatchObject({ format: "json", schema: { schema: { properties: { bytes: { type: "integer" } } } } });
  });

  it("gives images with the question", async () => {
    const scripted = scriptedModel(() => says("A sensor"));
    const { model } = await start(scripted, open);
    await generateText({ model, maxRetries: 0, messages: [{ role: "user", content: [{ type: "text", text: "What is this?" }, { type: "file", mediaType: "image/png", data: Buffer.from([0x89, 0x50, 0x4e, 0x47]) }] }] });
    expect(scripted.asked[0]?.messages.at(-1)).toEqual({ role: "user", content: "What is this?", images: [{ url: "data:image/png;base64,iVBORw==" }] });
  });

  it("is told of a failure on the way", async () => {
    const { model } = await start(scriptedModel(function* () {
      yield { type: "text", text: "It " };
      throw new TwelveError("SERVICE_FAILED", "The model broke off");
    }), open);
    const errors: unknown[] = [];
    const result = streamText({ model, prompt: "What is the body limit?", maxRetries: 0, onError: ({ error }) => void errors.push(error) });
    await result.consumeStream();
    expect(errors).toHaveLength(1);
    expect(JSON.stringify(errors[0], Object.getOwnPropertyNames(errors[0]))).toContain("The model broke off");
  });
});

describe("the ai package and what is kept of responses", () => {
  const conversation = [{ role: "user" as const, content: "What is the body limit?" }];

  it("goes on with its own earlier messages where it is told that nothing is stored", async () => {
    const scripted = scriptedModel(() => says("It is 1 MiB."));
    const { model } = await start(scripted, (baseURL) => createOpenAI({ baseURL, apiKey: "none" })("support"));
    const providerOptions = { openai: { store: false } };
    const first = await generateText({ model, messages: conversation, providerOptions, maxRetries: 0 });
    await generateText({ model, messages: [...conversation, ...first.responseMessages, { role: "user", content: "And why?" }], providerOptions, maxRetries: 0 });
    expect(scripted.asked[1]).toMatchObject({ messages: [{ role: "system" }, { role: "user" }, { role: "assistant", content: "It is 1 MiB." }, { role: "user", content: "And why?" }] });
  });

  it("is told what to do where it refers to what was never stored", async () => {
    const { model } = await start(scriptedModel(() => says("It is 1 MiB.")), (baseURL) => createOpenAI({ baseURL, apiKey: "none" })("support"));
    const first = await generateText({ model, messages: conversation, maxRetries: 0 });
    const second = generateText({ model, messages: [...conversation, ...first.responseMessages, { role: "user", content: "And why?" }], maxRetries: 0 });
    await expect(second).rejects.toThrow("send the items themselves (the `ai` package does with store: false), or name a conversation");
  });

  it("sends the new turn alone to a conversation", async () => {
    const { model, runtime } = await start(scriptedModel(() => says("It is 1 MiB.")), (baseURL) => createOpenAI({ baseURL, apiKey: "none" })("support"));
    await generateText({ model, prompt: "What is the body limit?", providerOptions: { openai: { conversation: "c-7", user: "ada" } }, maxRetries: 0 });
    expect(runtime.requests).toMatchObject([{ session: { user: "/ada", session: "c-7" }, messages: [{ role: "user" }] }]);
  });

  it("shows citations as sources", async () => {
    const { model } = await start(scriptedModel(() => says("It is 1 MiB [1].")), (baseURL) => createOpenAI({ baseURL, apiKey: "none" })("support"));
    const whole = await generateText({ model, prompt: "What is the body limit?", maxRetries: 0 });
    expect(whole.sources).toMatchObject([{ sourceType: "document", filename: "docs/limits.md" }]);
    expect(await streamText({ model, prompt: "What is the body limit?", maxRetries: 0 }).sources).toMatchObject([{ sourceType: "document", filename: "docs/limits.md" }]);
  });
});
