/** Asks a model once, and gives what came in one piece. */
import type { TwelveError } from "../../src/core/errors.ts";
import type { Model, ModelChunk, ModelEnd, ModelRequest, ToolCall } from "../../src/ports/model.ts";

const asked: ModelRequest = { messages: [{ role: "user", content: "How large may a body be?" }], passages: [] };

export interface Collected {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly ToolCall[];
  readonly end: ModelEnd;
}

export async function collect(model: Model, change: Partial<ModelRequest> = {}): Promise<Collected> {
  const chunks: readonly ModelChunk[] = await Array.fromAsync(model.generate({ ...asked, ...change }));
  const textOf = (type: "text" | "reasoning"): string => chunks.map((chunk) => (chunk.type === type ? chunk.text : "")).join("");
  const [end, ...more] = chunks.flatMap((chunk) => (chunk.type === "end" ? [chunk] : []));
  if (end === undefined || more.length > 0 || chunks.at(-1) !== end) throw new Error(`Expected one end, and it last, and found ${JSON.stringify(chunks)}`);
  return { text: textOf("text"), reasoning: textOf("reasoning"), calls: chunks.flatMap((chunk) => (chunk.type === "tool_call" ? [chunk.call] : [])), end };
}

/** The failure of the answer, and what came before it. */
export async function failureOf(model: Model, change: Partial<ModelRequest> = {}): Promise<{ readonly failure: TwelveError; readonly text: string }> {
  let text = "";
  try {
    for await (const chunk of model.generate({ ...asked, ...change })) text += chunk.type === "text" ? chunk.text : "";
  } catch (error) {
    return { failure: error as TwelveError, text };
  }
  throw new Error(`Expected a failure, and found the answer ${text}`);
}
