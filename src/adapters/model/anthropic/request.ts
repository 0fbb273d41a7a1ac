import { TwelveError } from "../../../core/errors.ts";
import type { ModelRequest, Sampling, Tool, ToolChoice } from "../../../ports/model.ts";
import { turnsOf } from "./turn.ts";
import type { MessagesTarget } from "./reference.ts";

type Body = Readonly<Record<string, unknown>>;

const jsonAlone = "Answer with one JSON value and nothing else: no explanation, and no Markdown around it.";

/** The body of a message; JSON leaves out what is undefined. Fails with SERVICE_REJECTED for what this version of the API refuses. */
export function messageBody(request: ModelRequest, { model, version, maxOutput, thinking, effort, service }: MessagesTarget): Body {
  const { temperature, topP, maxTokens, stop, tools = [], toolChoice } = request;
  if (version === "2026-10-21") refuseSampling(request, service.name);
  const format = formatOf(request);
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
    tool_choice: tools.length === 0 || toolChoice === undefined ? undefined : choiceBody(toolChoice),
  };
}

/** Said here, where it is known what to do about it. */
function refuseSampling({ temperature, topP }: Sampling, name: string): void {
  const given = [...(temperature === undefined ? [] : ["temperature"]), ...(topP === undefined ? [] : ["topP"])];
  if (given.length === 0) return;
  throw new TwelveError("SERVICE_REJECTED", `${name} takes no ${given.join(" and no ")}: version 2026-10-21 of Anthropic's API refuses it`, {
    fix: `Leave ${given.map((parameter) => `\`${parameter}\``).join(" and ")} out, in the agent in twelve.yaml, in the prompt's front matter and in the request; or name ${name}?version=2023-06-01, whose older models still take it`,
  });
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

function choiceBody(choice: ToolChoice): Body {
  if (choice === "required") return { type: "any" };
  return typeof choice === "string" ? { type: choice } : { type: "tool", name: choice.name };
}
