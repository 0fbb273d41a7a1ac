import type { FinishReason, ModelChunk, ModelEnd, ModelRequest, Usage } from "../../../ports/model.ts";
import { countOf, type Fields, fieldsOf, listOf, textOf } from "../../http/unchecked.ts";
import { readCalls } from "./calls.ts";
import { reasoningIn } from "./reasoning.ts";

/** An answer that comes in chunks, or at once. */
export interface AnswerReader {
  /** What the next chunk adds. */
  read(chunk: Fields): readonly ModelChunk[];
  /** Whether a choice came at all, and whether it said why it ended. */
  readonly state: "empty" | "open" | "finished";
  /** The tool calls and the end; `fallback` holds what the server left out. */
  finish(fallback: { readonly model: string; readonly responseId: string | undefined; readonly estimate: (answer: string) => Usage }): readonly ModelChunk[];
}

const finishReasons: Readonly<Record<string, FinishReason>> = {
  stop: "stop", length: "length", content_filter: "content_filter", tool_calls: "tool_calls", function_call: "tool_calls",
  // OpenRouter's and DeepSeek's words for an answer that the server could not bring to its end.
  error: "error", insufficient_system_resource: "error",
};

export function readAnswer({ isCallStreamed = false }: Pick<ModelRequest, "isCallStreamed"> = {}): AnswerReader {
  const calls = readCalls();
  let answer = "";
  let thought = { name: "", text: "" };
  let id: string | undefined;
  let model: string | undefined;
  let usage: Usage | undefined;
  let finish: string | undefined;
  let isRefused = false;
  let hasChoice = false;

  return {
    read(chunk) {
      id ??= textOf(chunk["id"]);
      model ??= textOf(chunk["model"]);
      usage = readUsage(chunk) ?? usage;
      // With the usage comes a chunk without any choice.
      const first = listOf(chunk["choices"])[0];
      if (first === undefined) return [];
      hasChoice = true;
      const choice = fieldsOf(first);
      finish = textOf(choice["finish_reason"]) ?? finish;
      const delta = fieldsOf(choice["delta"] ?? choice["message"]);
      const called = calls.read(delta);
      const read: ModelChunk[] = [];
      const reasoning = reasoningIn(delta);
      if (reasoning !== undefined) {
        thought = { name: reasoning.name, text: thought.text + reasoning.text };
        read.push({ type: "reasoning", text: reasoning.text });
      }
      const refusal = textOf(delta["refusal"]);
      isRefused ||= refusal !== undefined;
      for (const text of [textIn(delta["content"] ?? choice["text"]), refusal ?? ""]) {
        if (text === "") continue;
        answer += text;
        read.push({ type: "text", text });
      }
      return isCallStreamed ? [...read, ...called] : read;
    },
    get state() {
      if (finish !== undefined) return "finished";
      return hasChoice ? "open" : "empty";
    },
    finish(fallback) {
      const whole = calls.calls();
      const called = whole.map((call) => call.name + call.arguments).join("");
      const end: ModelEnd = {
        type: "end",
        finishReason: finishOf(finish, { hasCalls: whole.length > 0, isRefused }),
        usage: usage ?? fallback.estimate(thought.text + answer + called),
        ...(usage === undefined ? { isUsageEstimated: true } : {}),
        model: model ?? fallback.model,
        ...optional("responseId", id ?? fallback.responseId),
        // Within a round of tool calls, some servers want their reasoning back.
        ...(thought.text !== "" && whole.length > 0 ? { reasoning: [{ [thought.name]: thought.text }] } : {}),
      };
      return [...whole.map((call) => ({ type: "tool_call", call }) as const), end];
    },
  };
}

/** Many servers say `stop` after tool calls, and so does OpenAI where the call was asked for by name. */
function finishOf(given: string | undefined, { hasCalls, isRefused }: { readonly hasCalls: boolean; readonly isRefused: boolean }): FinishReason {
  if (isRefused) return "content_filter";
  const finish = given !== undefined && Object.hasOwn(finishReasons, given) ? (finishReasons[given] ?? "stop") : "stop";
  return finish === "stop" && hasCalls ? "tool_calls" : finish;
}

/** Text, or the text parts of a list. */
function textIn(content: unknown): string {
  if (typeof content === "string") return content;
  return listOf(content).map((part) => textOf(fieldsOf(part)["text"]) ?? "").join("");
}

function readUsage(chunk: Fields): Usage | undefined {
  const usage = fieldsOf(chunk["usage"]);
  const inputTokens = countOf(usage["prompt_tokens"]);
  if (inputTokens === undefined) return undefined;
  const cached = countOf(fieldsOf(usage["prompt_tokens_details"])["cached_tokens"]) ?? countOf(usage["prompt_cache_hit_tokens"]) ?? 0;
  return { inputTokens, outputTokens: countOf(usage["completion_tokens"]) ?? 0, cachedInputTokens: Math.min(cached, inputTokens) };
}

function optional<Name extends string>(name: Name, value: string | undefined): { readonly [Key in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [Key in Name]?: string };
}
