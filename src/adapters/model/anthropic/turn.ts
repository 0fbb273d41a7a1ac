import type { Json } from "../../../core/canonical-json.ts";
import type { Image, Message, ToolCall } from "../../../ports/model.ts";
import { fieldsOf } from "../../http/unchecked.ts";
import { wordsOf } from "../speaker.ts";

type Block = Readonly<Record<string, unknown>>;
interface Turn {
  readonly role: "user" | "assistant";
  readonly content: readonly Block[];
}

/** The conversation without its system messages. What one side says in a row is one turn: results of tools must come together, and first. */
export function turnsOf(messages: readonly Message[]): readonly Turn[] {
  const turns: Turn[] = [];
  for (const message of messages) {
    if (message.role === "system") continue;
    const role = message.role === "assistant" ? "assistant" : "user";
    const content = blocksOf(message);
    const last = turns.at(-1);
    if (last?.role === role) turns[turns.length - 1] = { role, content: [...last.content, ...content] };
    // An empty turn is refused.
    else if (content.length > 0) turns.push({ role, content });
  }
  return turns;
}

function blocksOf(message: Message): readonly Block[] {
  const { role, images = [], toolCalls = [], toolCallId = "", isError, reasoning = [] } = message;
  const text = wordsOf(message).toWellFormed();
  if (role === "tool") return [{ type: "tool_result", tool_use_id: toolCallId, content: text, ...(isError === true ? { is_error: true } : {}) }];
  const spoken = text.trim() === "" ? [] : [{ type: "text", text }];
  if (role === "user") return [...spoken, ...images.map(imageBlock)];
  return [...reasoning.filter(isThinking), ...spoken, ...toolCalls.map(callBlock)];
}

/** Other providers' reasoning means nothing here. */
function isThinking(block: Json): block is Readonly<Record<string, Json>> {
  const { type } = fieldsOf(block);
  return type === "thinking" || type === "redacted_thinking";
}

function imageBlock({ url }: Image): Block {
  const [, mediaType, data] = /^data:([^;,]+);base64,(.*)$/s.exec(url) ?? [];
  return { type: "image", source: mediaType === undefined || data === undefined ? { type: "url", url } : { type: "base64", media_type: mediaType, data } };
}

function callBlock({ id, name, arguments: written }: ToolCall): Block {
  return { type: "tool_use", id, name, input: inputOf(written) };
}

/** The API takes an object and nothing else, and a model may have written anything. */
function inputOf(written: string): Json {
  try {
    const value = JSON.parse(written) as Json;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Shown to the model as it wrote it.
  }
  return { unreadable: written };
}
