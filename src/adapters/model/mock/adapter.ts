import { TwelveError } from "../../../core/errors.ts";
import { didYouMean } from "../../../core/nearest.ts";
import { countTokens, firstTokens } from "../../../core/tokens.ts";
import type { FinishReason, Message, Model, ModelChunk, ModelRequest, Usage } from "../../../ports/model.ts";
import { extractAnswer } from "./extract.ts";

const scheme = "mock:";
/** Chat formats spend about this much on a message beside its text. */
const tokensAroundMessage = 4;

/**
 * Models without a model, for trying and for tests: `mock:extractive` answers with sentences of the passages,
 * `mock:echo` repeats the last user message, `mock:fixed:<text>` always says the text. All are deterministic.
 */
export function openModel(reference: string): Model {
  const id = reference.slice(scheme.length);
  const reply = behaviour(id);
  return { provider: "mock", id, generate: (request) => generate(id, reply, request), check: () => Promise.resolve({ version: null }) };
}

type Reply = (request: ModelRequest) => string;

function behaviour(id: string): Reply {
  if (id === "extractive") return ({ question, messages, passages }) => extractAnswer(question ?? lastUserMessage(messages), passages);
  if (id === "echo") return ({ messages }) => lastUserMessage(messages);
  if (id.startsWith("fixed:")) return () => id.slice("fixed:".length);
  const known = ["mock:extractive", "mock:echo", "mock:fixed:<text>"];
  throw new TwelveError("SERVICE_UNSUPPORTED", `There is no model ${scheme}${id}.${didYouMean(`${scheme}${id}`, known)} Supported: ${known.join(", ")}`);
}

async function* generate(id: string, reply: Reply, request: ModelRequest): AsyncGenerator<ModelChunk> {
  const { signal, messages, format } = request;
  signal?.throwIfAborted();
  const text = reply(request);
  const answer = cut(format === "json" ? jsonText(text) : text, request);
  for (const word of wordsOf(answer.text)) {
    signal?.throwIfAborted();
    yield { type: "text", text: word };
  }
  yield { type: "end", finishReason: answer.finishReason, usage: usageOf(messages, answer.text), model: id };
}

/** An answer that is JSON already stays as it is; another one becomes an object with one field. */
function jsonText(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify({ answer: text });
  }
}

function cut(text: string, { stop = [], maxTokens }: ModelRequest): { readonly text: string; readonly finishReason: FinishReason } {
  const ends = stop.map((end) => text.indexOf(end)).filter((at) => at >= 0);
  const stopped = ends.length === 0 ? text : text.slice(0, Math.min(...ends));
  const limited = maxTokens === undefined ? stopped : firstTokens(stopped, maxTokens);
  return { text: limited, finishReason: limited.length < stopped.length ? "length" : "stop" };
}

/** The words of a text with the space before them; joined they are the text. */
function wordsOf(text: string): readonly string[] {
  return text.match(/\s*\S+\s*$|\s*\S+|\s+$/g) ?? [];
}

function usageOf(messages: readonly Message[], answer: string): Usage {
  const inputTokens = messages.reduce((sum, { content }) => sum + countTokens(content) + tokensAroundMessage, 0);
  return { inputTokens, outputTokens: countTokens(answer), cachedInputTokens: 0 };
}

function lastUserMessage(messages: readonly Message[]): string {
  return messages.findLast(({ role }) => role === "user")?.content ?? "";
}
