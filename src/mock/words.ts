import { countTokens, firstTokens } from "../core/tokens.ts";
import type { FinishReason, Message, ModelRequest, Usage } from "../ports/model.ts";

/** Chat formats spend about this much on a message beside its text. */
const tokensAroundMessage = 4;

/** A text as the request wants it: JSON where that is asked for, up to the stop string and the most tokens. */
export function wordedFor(request: ModelRequest, text: string): { readonly text: string; readonly finishReason: FinishReason } {
  return cut(request.format === "json" ? jsonText(text) : text, request);
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
export function wordsOf(text: string): readonly string[] {
  return text.match(/\s*\S+\s*$|\s*\S+|\s+$/g) ?? [];
}

export function usageOf(messages: readonly Message[], answer: string): Usage {
  const inputTokens = messages.reduce((sum, { content }) => sum + countTokens(content) + tokensAroundMessage, 0);
  return { inputTokens, outputTokens: countTokens(answer), cachedInputTokens: 0 };
}

/** What the user asks: without the prompt around it where the caller tells it apart. */
export function questionOf({ question, messages }: Pick<ModelRequest, "question" | "messages">): string {
  return question ?? lastUserMessage(messages);
}

export function lastUserMessage(messages: readonly Message[]): string {
  return messages.findLast(({ role }) => role === "user")?.content ?? "";
}
