import { describe, expect, it } from "vitest";
import { openModel } from "../../../../src/adapters/model/mock/adapter.ts";
import type { ModelChunk, ModelRequest } from "../../../../src/ports/model.ts";
import { describeModel } from "../../../ports/model.contract.ts";

describeModel("mock:extractive", { open: () => openModel("mock:extractive", ".") });
describeModel("mock:echo", { open: () => openModel("mock:echo", ".") });
describeModel("mock:fixed:", { open: () => openModel("mock:fixed:Always the same few words.", ".") });

async function generate(reference: string, request: Partial<ModelRequest> = {}): Promise<readonly ModelChunk[]> {
  const chunks: ModelChunk[] = [];
  const messages = [{ role: "user", content: "Prompt around: what is the limit?" }] as const;
  for await (const chunk of (await openModel(reference, ".")).generate({ messages, passages: [{ number: 1, text: "The limit is 1 MiB." }], ...request })) chunks.push(chunk);
  return chunks;
}

const textOf = (chunks: readonly ModelChunk[]): string => chunks.map((chunk) => (chunk.type === "text" ? chunk.text : "")).join("");

describe("the mock models", () => {
  it("stream word by word and count tokens", async () => {
    expect(await generate("mock:fixed:One  two three.")).toEqual([
      { type: "text", text: "One" },
      { type: "text", text: "  two" },
      { type: "text", text: " three." },
      { type: "end", finishReason: "stop", usage: { inputTokens: 12, outputTokens: 5, cachedInputTokens: 0 }, model: "fixed:One  two three." },
    ]);
  });

  it("echo the last user message", async () => {
    expect(textOf(await generate("mock:echo", { messages: [{ role: "user", content: "first" }, { role: "assistant", content: "no" }, { role: "user", content: "last one\n" }] }))).toBe("last one\n");
  });

  it("extract from the passages what the question asks for, not what the prompt around it says", async () => {
    const passages = [{ number: 1, text: "Prompt and around are words." }, { number: 2, text: "The limit is 1 MiB." }];
    expect(textOf(await generate("mock:extractive", { question: "what is the limit?", passages }))).toBe("The limit is 1 MiB. [2]");
  });

  it.each<[string, Partial<ModelRequest>]>([
    ["images", { messages: [{ role: "user", content: "What is this?", images: [{ url: "data:image/png;base64,AA==" }] }] }],
    ["tools", { tools: [{ name: "find", parameters: { type: "object" } }] }],
  ])("extract from text only: %s are refused", async (what, request) => {
    await expect(generate("mock:extractive", request)).rejects.toThrow(expect.objectContaining({ code: "MODEL_UNABLE", message: `mock:extractive cannot be given ${what}: it answers with sentences of passages` }));
  });

  it("give JSON when JSON is asked for, and leave JSON alone", async () => {
    expect(JSON.parse(textOf(await generate("mock:extractive", { question: "what is the limit?", format: "json" })))).toEqual({ answer: "The limit is 1 MiB. [1]" });
    expect(textOf(await generate('mock:fixed:{"a": 1}', { format: "json" }))).toBe('{"a": 1}');
  });

  it("say nothing when the stop string comes first", async () => {
    expect(await generate("mock:fixed:END of it", { stop: ["never", "END"] })).toMatchObject([{ type: "end", finishReason: "stop", usage: { outputTokens: 0 } }]);
  });

  it("end with the signal's reason even when they have nothing to say", async () => {
    await expect(generate("mock:fixed:", { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });

  it.each([
    ["mock:extractiv", 'There is no model mock:extractiv. Did you mean "mock:extractive"? Supported: mock:extractive, mock:echo, mock:fixed:<text>, mock:script:<file>'],
    ["mock:", "There is no model mock:. Supported: mock:extractive, mock:echo, mock:fixed:<text>, mock:script:<file>"],
  ])("refuse %s", async (reference, message) => {
    await expect(openModel(reference, ".")).rejects.toThrow(expect.objectContaining({ code: "SERVICE_UNSUPPORTED", message }));
  });
});
