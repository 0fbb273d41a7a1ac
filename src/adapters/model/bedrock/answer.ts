import type { ContentBlockDelta, ContentBlockStart, ConverseStreamMetadataEvent, ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import type { Json } from "../../../core/canonical-json.ts";
import type { FinishReason, ModelChunk, ModelRequest, ToolCall, Usage } from "../../../ports/model.ts";
import { reasoningJson } from "./reasoning.ts";

/** What the events have told so far. */
export interface Answer {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly reasoning: readonly Json[];
  /** Undefined until the message has stopped. */
  readonly finishReason: FinishReason | undefined;
  /** Undefined until Bedrock has counted, which it does last. */
  readonly usage: Usage | undefined;
  /** The model that a prompt router chose. */
  readonly model: string | undefined;
}

export interface AnswerReader {
  /** The chunks that an event completes. */
  read(event: ConverseStreamOutput): readonly ModelChunk[];
  answer(): Answer;
}

interface Block {
  tool: { readonly id: string; readonly name: string; readonly position: number } | undefined;
  input: string;
  reasoning: string;
  signature: string | undefined;
  readonly redacted: Uint8Array[];
}

const reasons: Readonly<Record<string, FinishReason>> = {
  end_turn: "stop", stop_sequence: "stop", tool_use: "tool_calls", max_tokens: "length", model_context_window_exceeded: "length",
  guardrail_intervened: "content_filter", content_filtered: "content_filter", malformed_model_output: "error", malformed_tool_use: "error",
};

export function readAnswer({ isCallStreamed = false }: Pick<ModelRequest, "isCallStreamed"> = {}): AnswerReader {
  const blocks = new Map<number, Block>();
  const calls: ToolCall[] = [];
  const reasoning: Json[] = [];
  let text = "";
  let stopReason: string | undefined;
  let usage: Usage | undefined;
  let model: string | undefined;
  let callCount = 0;

  /** Blocks of text and of reasoning have no start of their own. */
  function blockAt(index: number): Block {
    const block = blocks.get(index) ?? { tool: undefined, input: "", reasoning: "", signature: undefined, redacted: [] };
    blocks.set(index, block);
    return block;
  }

  function begin(block: Block, start: ContentBlockStart | undefined, index: number): readonly ModelChunk[] {
    const tool = start?.toolUse;
    if (tool === undefined) return [];
    const { id, name, position } = (block.tool = { id: tool.toolUseId ?? `call_${index}`, name: tool.name ?? "", position: callCount++ });
    return isCallStreamed ? [{ type: "call_part", position, begun: { id, name }, arguments: "" }] : [];
  }

  function grow(block: Block, delta: ContentBlockDelta | undefined): readonly ModelChunk[] {
    block.input += delta?.toolUse?.input ?? "";
    const thought = delta?.reasoningContent;
    block.signature = thought?.signature ?? block.signature;
    if (thought?.redactedContent !== undefined) block.redacted.push(thought.redactedContent);
    block.reasoning += thought?.text ?? "";
    text += delta?.text ?? "";
    return [...chunkOf("reasoning", thought?.text), ...chunkOf("text", delta?.text), ...partOf(block, delta?.toolUse?.input)];
  }

  function partOf({ tool }: Block, text: string | undefined): readonly ModelChunk[] {
    return !isCallStreamed || tool === undefined || text === undefined || text === "" ? [] : [{ type: "call_part", position: tool.position, arguments: text }];
  }

  function close(index: number): readonly ModelChunk[] {
    const block = blocks.get(index);
    blocks.delete(index);
    if (block === undefined) return [];
    const thought = reasoningJson({ text: block.reasoning, signature: block.signature, redacted: block.redacted });
    if (thought !== undefined) reasoning.push(thought);
    if (block.tool === undefined) return [];
    const { id, name } = block.tool;
    const call = { id, name, arguments: block.input.trim() === "" ? "{}" : block.input };
    calls.push(call);
    return [{ type: "tool_call", call }];
  }

  function finishReason(): FinishReason | undefined {
    if (stopReason === undefined) return undefined;
    const reason = Object.hasOwn(reasons, stopReason) ? reasons[stopReason] : "stop";
    // Not every model behind Bedrock says that it stopped for its calls.
    return reason === "stop" && calls.length > 0 ? "tool_calls" : reason;
  }

  return {
    read(event) {
      if (event.contentBlockStart !== undefined) {
        const { contentBlockIndex: index = 0, start } = event.contentBlockStart;
        return begin(blockAt(index), start, index);
      }
      if (event.contentBlockDelta !== undefined) return grow(blockAt(event.contentBlockDelta.contentBlockIndex ?? 0), event.contentBlockDelta.delta);
      if (event.contentBlockStop !== undefined) return close(event.contentBlockStop.contentBlockIndex ?? 0);
      if (event.messageStop !== undefined) {
        stopReason = event.messageStop.stopReason ?? "end_turn";
        // A block that nobody closed is complete by now.
        return [...blocks.keys()].flatMap(close);
      }
      if (event.metadata !== undefined) {
        usage = usageOf(event.metadata) ?? usage;
        model = event.metadata.trace?.promptRouter?.invokedModelId ?? model;
      }
      return [];
    },
    answer: () => ({ text, calls, reasoning, finishReason: finishReason(), usage, model }),
  };
}

function chunkOf(type: "text" | "reasoning", text: string | undefined): readonly ModelChunk[] {
  return text === undefined || text === "" ? [] : [{ type, text }];
}

/** Bedrock counts what it read from its cache, and what it wrote into it, beside the other input. */
function usageOf({ usage }: ConverseStreamMetadataEvent): Usage | undefined {
  if (usage?.inputTokens === undefined || usage.outputTokens === undefined) return undefined;
  const { inputTokens, outputTokens, cacheReadInputTokens = 0, cacheWriteInputTokens = 0 } = usage;
  return { inputTokens: inputTokens + cacheReadInputTokens + cacheWriteInputTokens, outputTokens, cachedInputTokens: cacheReadInputTokens };
}
