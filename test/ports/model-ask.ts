import { expect, it } from "vitest";
import type { Model, ModelChunk, ModelEnd, ModelRequest, ToolCall } from "../../src/ports/model.ts";
import type { Capability, ScriptedUpstream } from "./model-upstream.ts";

/** A request that any model answers with several words. */
export const request: ModelRequest = {
  messages: [{ role: "system", content: "Answer in words." }, { role: "user", content: "How large may a body be, and which port is used?" }],
  passages: [{ number: 1, text: "A body may be one mebibyte large. The port that is used is 3000." }],
};

export interface Answered {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly ToolCall[];
  readonly chunks: readonly ModelChunk[];
  readonly end: ModelEnd | undefined;
}

export async function ask(model: Model, change: Partial<ModelRequest> = {}): Promise<Answered> {
  const chunks: ModelChunk[] = [];
  for await (const chunk of model.generate({ ...request, ...change })) chunks.push(chunk);
  const last = chunks.at(-1);
  return {
    chunks,
    text: chunks.map((chunk) => (chunk.type === "text" ? chunk.text : "")).join(""),
    reasoning: chunks.map((chunk) => (chunk.type === "reasoning" ? chunk.text : "")).join(""),
    calls: chunks.flatMap((chunk) => (chunk.type === "tool_call" ? [chunk.call] : [])),
    end: last?.type === "end" ? last : undefined,
  };
}

export type Can = (capability: Capability, sentence: string, test: () => Promise<void>) => void;

/** A test that is skipped, with the reason in its name, where the protocol cannot do it. */
export function itCan(upstream: ScriptedUpstream | undefined, capability: Capability, sentence: string, test: () => Promise<void>): void {
  const reason = upstream?.lacks?.[capability];
  it.skipIf(reason !== undefined)(`${sentence}${reason === undefined ? "" : ` (${reason})`}`, async () => {
    expect.hasAssertions();
    await test();
  });
}
