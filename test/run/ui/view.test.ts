import { expect, it } from "vitest";
import type { Build } from "../../../src/build/schema.ts";
import { digestOf } from "../../../src/core/descriptor.ts";
import type { CompiledPrompt } from "../../../src/prompt/schema.ts";
import type { FoundRelease } from "../../../src/release/read.ts";
import type { Answer } from "../../../src/run/schema.ts";
import { viewAnswer, viewRelease } from "../../../src/run/ui/view.ts";

const descriptor = { mediaType: "application/json", digest: digestOf("any"), size: 1 };
const schema = { type: "object", properties: { question: { type: "string" }, passages: { type: "array" }, tone: { type: "string", description: "how it speaks" }, limit: { type: ["integer", "null"] }, style: { type: "string" } }, required: ["question", "tone", "style"] };
const prompt: CompiledPrompt = { name: "answer", variant: "strict", path: "prompts/answer.strict.prompt", model: null, config: {}, input: { schema, default: { style: "short" } }, output: { format: "text", schema: null }, template: "", partials: {}, metadata: {}, digest: digestOf("prompt") };
const build = { app: "demo", source: { commit: "1234567890abcdef", dirty: true }, prompts: [prompt], manifest: { indexes: { docs: {} }, tools: { order: { command: "o", idempotent: true }, refund: { command: "r", idempotent: false }, server: { mcp: "https://tools.example/mcp" } } } } as unknown as Build;
const found = {
  number: 3,
  releaseDescriptor: descriptor,
  release: {
    build: descriptor,
    indexes: { docs: descriptor },
    config: { TOP_K: { value: 5, source: "default" }, NOTE: { value: null, source: "default" } },
    agents: { support: { description: "Helps", prompt: "answer", variant: "strict", model: ["openai:a", "openai:b"], temperature: 0.2, retrieve: { index: "docs", topK: 5, mode: "hybrid", filter: { language: ["en", "de"] } }, tools: ["order", "refund", "server"] } },
  },
} as unknown as FoundRelease;

it("tells what decides a release's answers, setting by setting, and which variables its prompts take", () => {
  const { settings, agents, number } = viewRelease(found, build);
  const short = digestOf("any").slice("sha256:".length, "sha256:".length + 12);
  expect(number).toBe(3);
  expect(settings.map(({ group, name, value }) => `${group}: ${name} = ${value}`)).toEqual([
    `agent support: prompt = answer.strict ${digestOf("prompt").slice("sha256:".length, "sha256:".length + 12)}`,
    "agent support: model = openai:a, then openai:b",
    "agent support: temperature = 0.2",
    "agent support: retrieve.index = docs",
    "agent support: retrieve.topK = 5",
    "agent support: retrieve.mode = hybrid",
    'agent support: retrieve.filter.language = ["en","de"]',
    'agent support: tools = ["order","refund","server"]',
    `index docs: digest = ${short}`,
    "configuration: TOP_K = 5",
    "configuration: NOTE = unset",
    `build: digest = ${short}`,
    "build: commit = 1234567 with changes",
  ]);
  expect(agents).toEqual([{
    name: "support", description: "Helps", prompt: "answer.strict",
    variables: [
      { name: "tone", description: "how it speaks", isText: true, isRequired: true },
      { name: "limit", description: null, isText: false, isRequired: false },
      { name: "style", description: null, isText: true, isRequired: false },
    ],
    tools: [{ name: "order", isRepeatable: true }, { name: "refund", isRepeatable: false }, { name: "server", isRepeatable: false }],
  }]);
});

it("tells what an agent's tools were called with and what they gave, though a model gives two calls one ID", () => {
  const call = (order: number) => ({ role: "assistant", content: "", toolCalls: [{ id: "0", name: "order", arguments: `{"order":${order}}` }] }) as const;
  const answer: Answer = {
    text: "Done", toolCalls: [], finishReason: "stop", usage: { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0 }, reference: "mock:m", model: "m", retrieved: [], citations: [], latencyMs: 1, timeToFirstTokenMs: 1, costUsd: null,
    made: [call(7), { role: "tool", content: "broken", toolCallId: "0" }, call(8), { role: "tool", content: "lost", toolCallId: "0", isError: true }, { role: "assistant", content: "Done" }],
  };
  expect(viewAnswer(answer).calls).toEqual([{ tool: "order", given: '{"order":7}', result: "broken", isError: false }, { tool: "order", given: '{"order":8}', result: "lost", isError: true }]);
});
