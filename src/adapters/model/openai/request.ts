import type { Json } from "../../../core/canonical-json.ts";
import type { Message, ModelRequest, Sampling, Tool, ToolChoice } from "../../../ports/model.ts";
import { reasoningFields } from "./reasoning.ts";
import type { LimitName } from "./reference.ts";
import { isStrict } from "./strict.ts";

/** How this server wants to be asked, as far as it is known. */
export interface Dialect {
  readonly limitName: LimitName;
  /** It can be asked to count the tokens of a stream. */
  readonly isUsageAskable: boolean;
  /** It answers in a stream alone. */
  readonly isStreamOnly?: boolean;
}

type Body = Readonly<Record<string, unknown>>;

interface Wanted {
  readonly dialect: Dialect;
  readonly isStream: boolean;
  readonly reasoningEffort: string | undefined;
}

/** The body of a chat completion; JSON leaves out what is undefined. */
export function chatBody(model: string, request: ModelRequest, { dialect, isStream, reasoningEffort }: Wanted): Body {
  const { temperature, topP, maxTokens, stop, seed, effort, tools = [], toolChoice, isSingleCall } = request;
  return {
    model,
    messages: request.messages.map(messageBody),
    stream: isStream,
    stream_options: isStream && dialect.isUsageAskable ? { include_usage: true } : undefined,
    [dialect.limitName]: maxTokens,
    temperature,
    top_p: topP,
    stop: stop === undefined || stop.length === 0 ? undefined : stop,
    seed,
    reasoning_effort: effort ?? reasoningEffort,
    response_format: formatBody(request),
    tools: tools.length === 0 ? undefined : tools.map(toolBody),
    tool_choice: tools.length === 0 || toolChoice === undefined ? undefined : choiceBody(toolChoice),
    parallel_tool_calls: tools.length > 0 && isSingleCall === true ? false : undefined,
  };
}

function messageBody({ role, content, name, images = [], toolCalls = [], toolCallId, reasoning = [] }: Message): Body {
  const text = content.toWellFormed();
  if (role === "tool") return { role, tool_call_id: toolCallId ?? "", content: text };
  if (role === "assistant" && toolCalls.length > 0) {
    const calls = toolCalls.map((call) => ({ id: call.id, type: "function", function: { name: call.name, arguments: call.arguments } }));
    return { role, name, content: text === "" ? null : text, ...reasoningFields(reasoning), tool_calls: calls };
  }
  if (role === "assistant") return { role, name, content: text, ...reasoningFields(reasoning) };
  if (images.length === 0) return { role, name, content: text };
  const pictures = images.map(({ url, detail }) => ({ type: "image_url", image_url: { url, detail } }));
  return { role, name, content: text === "" ? pictures : [{ type: "text", text }, ...pictures] };
}

function toolBody({ name, description, parameters }: Tool): Body {
  return { type: "function", function: { name, description, parameters } };
}

function choiceBody(choice: ToolChoice): Json {
  return typeof choice === "string" ? choice : { type: "function", function: { name: choice.name } };
}

function formatBody({ format, schema }: Sampling): Body | undefined {
  if (format !== "json") return undefined;
  if (schema === undefined) return { type: "json_object" };
  return { type: "json_schema", json_schema: { name: schema.name, schema: schema.schema, ...(isStrict(schema.schema) ? { strict: true } : {}) } };
}
