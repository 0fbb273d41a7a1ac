import type { ContentBlock, Message as BedrockMessage } from "@aws-sdk/client-bedrock-runtime";
import type { Message, ToolCall } from "../../../ports/model.ts";
import { wordsOf } from "../speaker.ts";
import { imageBlock } from "./image.ts";
import { reasoningBlock } from "./reasoning.ts";

export interface MessageOptions {
  /** The reference without options, for messages. */
  readonly name: string;
  /** Bedrock takes calls and results as such only in a request that declares tools. */
  readonly hasTools: boolean;
}

/**
 * The conversation without its system messages. Bedrock wants user and assistant in turn, so neighbours of one role become
 * one message: among them the results of all calls of a turn, which have to come together.
 */
export function bedrockMessages(messages: readonly Message[], options: MessageOptions): BedrockMessage[] {
  const turns: { role: "user" | "assistant"; content: ContentBlock[] }[] = [];
  for (const message of messages) {
    if (message.role === "system") continue;
    const role = message.role === "assistant" ? "assistant" : "user";
    const content = contentOf(message, options);
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...content);
    else if (content.length > 0) turns.push({ role, content });
  }
  return turns;
}

function contentOf(message: Message, { name, hasTools }: MessageOptions): ContentBlock[] {
  const { role, content, images = [], toolCalls = [], reasoning = [] } = message;
  if (role === "tool") return [hasTools ? resultBlock(message) : { text: `<tool_result>${withoutTags(content)}</tool_result>` }];
  return [
    ...reasoning.map(reasoningBlock).filter((block) => block !== undefined),
    ...textBlocks(wordsOf(message)),
    ...images.map((image) => imageBlock(image, name)),
    ...toolCalls.map((call) => (hasTools ? callBlock(call) : { text: `<tool_call name="${withoutTags(call.name)}">${withoutTags(call.arguments)}</tool_call>` })),
  ];
}

/** What a tool has written must not end its own result, and go on as somebody else. */
function withoutTags(text: string): string {
  return text.toWellFormed().replaceAll(/<(?=\s*\/?\s*tool_)/gi, "&lt;");
}

/** Bedrock refuses a text without a sign in it. */
function textBlocks(text: string): ContentBlock[] {
  return text.trim() === "" ? [] : [{ text: text.toWellFormed() }];
}

function callBlock({ id, name, arguments: text }: ToolCall): ContentBlock {
  return { toolUse: { toolUseId: id, name, input: readArguments(text) } };
}

function resultBlock({ content, toolCallId, isError = false }: Message): ContentBlock {
  return { toolResult: { toolUseId: toolCallId, content: [{ text: content.trim() === "" ? "(nothing)" : content.toWellFormed() }], ...(isError ? { status: "error" } : {}) } };
}

type Input = { readonly [name: string]: Input } | readonly Input[] | string | number | boolean | null;

/** Bedrock takes an object, and a model may have written anything: what is none stays readable inside one. */
function readArguments(text: string): { [name: string]: never } {
  let value: Input;
  try {
    value = JSON.parse(text === "" ? "{}" : text) as Input;
  } catch {
    value = { unreadable: text };
  }
  return (typeof value === "object" && value !== null && !Array.isArray(value) ? value : { value }) as { [name: string]: never };
}
