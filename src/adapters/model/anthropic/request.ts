import { TwelveError } from "../../../core/errors.ts";
import type { Effort, ModelRequest, Sampling, Tool } from "../../../ports/model.ts";
import { turnsOf } from "./turn.ts";
import type { MessagesTarget } from "./reference.ts";

type Body = Readonly<Record<string, unknown>>;

const jsonAlone = "Answer with one JSON value and nothing else: no explanation, and no Markdown around it.";

/** The body of a message; JSON leaves out what is undefined. What this version of the API refuses is not sent. */
export function messageBody(request: ModelRequest, { model, service, version, maxOutput, thinking, effort: usualEffort }: MessagesTarget): Body {
  const { maxTokens, stop, tools = [] } = request;
  const { temperature, topP } = takesSampling({ version }) ? request : {};
  const format = formatOf(request);
  const effort = effortOf(request, service.name) ?? usualEffort;
  const system = systemOf(request);
  return {
    model,
    max_tokens: maxTokens ?? maxOutput,
    system: system === "" ? undefined : system,
    messages: turnsOf(request.messages),
    stream: true,
    temperature,
    top_p: topP,
    stop_sequences: stop === undefined || stop.length === 0 ? undefined : stop,
    thinking,
    output_config: effort === undefined && format === undefined ? undefined : { effort, format },
    tools: tools.length === 0 ? undefined : tools.map(toolBody),
    tool_choice: tools.length === 0 ? undefined : choiceBody(request),
  };
}

/** The newer version answers 400 to a temperature and to topP; to the older one some models still take them. */
export function takesSampling({ version }: Pick<MessagesTarget, "version">): boolean {
  return version === "2023-06-01";
}

function systemOf({ messages, format, schema }: ModelRequest): string {
  const parts = messages.filter(({ role }) => role === "system").map(({ content }) => content.toWellFormed());
  return [...parts, ...(format === "json" && schema === undefined ? [jsonAlone] : [])].filter((part) => part.trim() !== "").join("\n\n");
}

function formatOf({ format, schema }: Sampling): Body | undefined {
  return format === "json" && schema !== undefined ? { type: "json_schema", schema: schema.schema } : undefined;
}

function toolBody({ name, description, parameters }: Tool): Body {
  return { name, description, input_schema: parameters };
}

function choiceBody({ toolChoice, isSingleCall }: ModelRequest): Body | undefined {
  const single = isSingleCall === true && toolChoice !== "none" ? { disable_parallel_tool_use: true } : undefined;
  if (toolChoice === undefined) return single && { type: "auto", ...single };
  if (toolChoice === "required") return { type: "any", ...single };
  return typeof toolChoice === "string" ? { type: toolChoice, ...single } : { type: "tool", name: toolChoice.name, ...single };
}

/** Fails with MODEL_UNABLE for an effort that the API has no word for. */
function effortOf({ effort }: Sampling, name: string): Effort | undefined {
  if (effort !== "none" && effort !== "minimal") return effort;
  throw new TwelveError("MODEL_UNABLE", `${name} cannot be told a reasoning effort of ${effort}: the API has low, medium, high, xhigh and max`, { fix: "Leave the effort out of the request, or ask for another" });
}
