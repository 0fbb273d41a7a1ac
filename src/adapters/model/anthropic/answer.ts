import type { Json } from "../../../core/canonical-json.ts";
import type { FinishReason, ModelChunk, ModelEnd, ModelRequest, ToolCall, Usage } from "../../../ports/model.ts";
import { countOf, type Fields, fieldsOf, listOf, textOf } from "../../http/unchecked.ts";

/** A message that comes in events, or whole. */
export interface MessageReader {
  /** What the next event adds. */
  read(event: Fields): readonly ModelChunk[];
  /** The end came. */
  readonly isFinished: boolean;
  finish(fallback: { readonly model: string; readonly responseId: string | undefined; readonly estimate: (answer: string) => Usage }): ModelEnd;
}

const finishReasons: Readonly<Record<string, FinishReason>> = {
  end_turn: "stop", stop_sequence: "stop", max_tokens: "length", tool_use: "tool_calls", refusal: "content_filter",
  // The answer is not at its end, and there is no room or no time for more.
  model_context_window_exceeded: "length", pause_turn: "length",
};

/** As it was sent: JSON. */
type Block = Readonly<Record<string, Json>>;

interface OpenBlock {
  readonly fields: Block;
  /** Text, thinking or the JSON of a tool's input, as far as it came. */
  text: string;
  signature: string;
  /** Of a call among those of the message, where it is told in pieces. */
  readonly position: number | undefined;
}

export function readMessage({ isCallStreamed = false }: Pick<ModelRequest, "isCallStreamed"> = {}): MessageReader {
  const blocks = new Map<unknown, OpenBlock>();
  const reasoning: Json[] = [];
  const counted: Record<string, number> = {};
  let answer = "";
  let head: Fields = {};
  let stopReason: string | undefined;
  let isFinished = false;
  let callCount = 0;

  function start(index: unknown, fields: Block): readonly ModelChunk[] {
    const isCall = fields["type"] === "tool_use";
    const block: OpenBlock = { fields, text: "", signature: "", position: isCall && isCallStreamed ? callCount : undefined };
    if (isCall) callCount++;
    blocks.set(index, block);
    if (block.position !== undefined) return [{ type: "call_part", position: block.position, begun: headOf(block), arguments: "" }];
    return [...add(block, textOf(fields["text"]), "text"), ...add(block, textOf(fields["thinking"]), "reasoning")];
  }

  function add(block: OpenBlock, text: string | undefined, type: "text" | "reasoning"): readonly ModelChunk[] {
    if (text === undefined) return [];
    block.text += text;
    answer += text;
    return [{ type, text }];
  }

  function grow(block: OpenBlock, delta: Fields): readonly ModelChunk[] {
    const piece = textOf(delta["partial_json"]) ?? "";
    block.text += piece;
    if (block.position !== undefined) return piece === "" ? [] : [{ type: "call_part", position: block.position, arguments: piece }];
    block.signature += textOf(delta["signature"]) ?? "";
    return [...add(block, textOf(delta["text"]), "text"), ...add(block, textOf(delta["thinking"]), "reasoning")];
  }

  function stop(block: OpenBlock): readonly ModelChunk[] {
    const { fields, text, signature } = block;
    const { type } = fields;
    if (type === "thinking") reasoning.push({ ...fields, thinking: text, signature: textOf(fields["signature"]) ?? signature });
    if (type === "redacted_thinking") reasoning.push(fields);
    if (type !== "tool_use") return [];
    const given = text.trim() === "" ? JSON.stringify(fields["input"] ?? {}) : text;
    const head = headOf(block);
    answer += head.name + given;
    return [{ type: "tool_call", call: { ...head, arguments: given } }];
  }

  /** Counts are cumulative, and later ones know better. */
  function count(usage: Fields): void {
    for (const name of ["input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"]) {
      const number = countOf(usage[name]);
      if (number !== undefined) counted[name] = number;
    }
  }

  function readWhole(message: Fields): readonly ModelChunk[] {
    head = message;
    count(fieldsOf(message["usage"]));
    stopReason = textOf(message["stop_reason"]);
    isFinished = true;
    return listOf(message["content"]).flatMap((block, index) => {
      const begun = start(index, fieldsOf(block) as Block);
      return [...begun, ...closed(index)];
    });
  }

  function closed(index: unknown): readonly ModelChunk[] {
    const block = blocks.get(index);
    blocks.delete(index);
    return block === undefined ? [] : stop(block);
  }

  return {
    read(event) {
      const { type, index } = event;
      if (type === "message") return readWhole(event);
      if (type === "message_start") {
        head = fieldsOf(event["message"]);
        count(fieldsOf(head["usage"]));
      }
      if (type === "content_block_start") return start(index, fieldsOf(event["content_block"]) as Block);
      const block = blocks.get(index);
      if (type === "content_block_delta" && block !== undefined) return grow(block, fieldsOf(event["delta"]));
      if (type === "content_block_stop") return closed(index);
      if (type === "message_delta") {
        stopReason = textOf(fieldsOf(event["delta"])["stop_reason"]) ?? stopReason;
        count(fieldsOf(event["usage"]));
      }
      isFinished ||= type === "message_stop";
      return [];
    },
    get isFinished() {
      return isFinished;
    },
    finish({ model, responseId, estimate }) {
      const usage = usageOf(counted);
      const id = textOf(head["id"]) ?? responseId;
      return {
        type: "end",
        finishReason: stopReason !== undefined && Object.hasOwn(finishReasons, stopReason) ? (finishReasons[stopReason] ?? "stop") : "stop",
        usage: usage ?? estimate(answer),
        ...(usage === undefined ? { isUsageEstimated: true } : {}),
        model: textOf(head["model"]) ?? model,
        ...(id === undefined ? {} : { responseId: id }),
        ...(reasoning.length === 0 ? {} : { reasoning }),
      };
    },
  };
}

function headOf({ fields }: OpenBlock): Pick<ToolCall, "id" | "name"> {
  return { id: textOf(fields["id"]) ?? "", name: textOf(fields["name"]) ?? "" };
}

/** Anthropic counts what it read from its cache, and what it wrote there, apart from the rest. */
function usageOf({ input_tokens: input, output_tokens: outputTokens, cache_creation_input_tokens: written = 0, cache_read_input_tokens: cachedInputTokens = 0 }: Readonly<Record<string, number>>): Usage | undefined {
  if (input === undefined || outputTokens === undefined) return undefined;
  return { inputTokens: input + written + cachedInputTokens, outputTokens, cachedInputTokens };
}
