import type { ConverseStreamCommandInput, InferenceConfiguration, SystemContentBlock, ToolConfiguration } from "@aws-sdk/client-bedrock-runtime";
import { TwelveError } from "../../../core/errors.ts";
import type { ModelRequest } from "../../../ports/model.ts";
import { bedrockMessages } from "./messages.ts";
import type { BedrockTarget } from "./reference.ts";

/**
 * A request in Bedrock's words. What nobody configured is left out: some models refuse to be told a temperature. There is no word for a seed.
 * Fails with MODEL_UNABLE for what it cannot say and an answer cannot do without.
 */
export function converseInput(target: BedrockTarget, request: ModelRequest): ConverseStreamCommandInput {
  const { guardrail, latency, serviceTier } = target;
  const toolConfig = toolsOf(request);
  if (request.effort !== undefined) throw unable(target, "a reasoning effort", "Leave the effort out of the request");
  if (request.isSingleCall === true && toolConfig !== undefined) throw unable(target, "that one tool is to be called at a time", "Leave parallel_tool_calls out of the request, or set it to true");
  const system = systemOf(request, target);
  const inferenceConfig = samplingOf(request);
  return {
    modelId: target.id,
    messages: bedrockMessages(request.messages, { name: target.name, hasTools: toolConfig !== undefined }),
    ...(system.length === 0 ? {} : { system }),
    ...(Object.keys(inferenceConfig).length === 0 ? {} : { inferenceConfig }),
    ...(toolConfig === undefined ? {} : { toolConfig }),
    ...(guardrail === undefined ? {} : { guardrailConfig: { guardrailIdentifier: guardrail.id, guardrailVersion: guardrail.version, ...(guardrail.trace === undefined ? {} : { trace: guardrail.trace }) } }),
    ...(latency === undefined ? {} : { performanceConfig: { latency } }),
    ...(serviceTier === undefined ? {} : { serviceTier: { type: serviceTier } }),
    ...outputOf(request, target),
  };
}

function unable({ name }: BedrockTarget, what: string, fix: string): TwelveError {
  return new TwelveError("MODEL_UNABLE", `${name} cannot be told ${what}: Bedrock's Converse API has no word for it`, { fix });
}

/** Bedrock cannot be told to call nothing, so it is told of no tools then. */
function toolsOf({ tools = [], toolChoice = "auto" }: ModelRequest): ToolConfiguration | undefined {
  if (tools.length === 0 || toolChoice === "none") return undefined;
  return {
    tools: tools.map(({ name, description = "", parameters }) => ({
      toolSpec: { name, ...(description === "" ? {} : { description }), inputSchema: { json: parameters as { [name: string]: never } } },
    })),
    // "auto" is what happens unasked, and several models refuse to be asked.
    ...(toolChoice === "auto" ? {} : { toolChoice: toolChoice === "required" ? { any: {} } : { tool: { name: toolChoice.name } } }),
  };
}

function samplingOf({ temperature, topP, maxTokens, stop = [] }: ModelRequest): InferenceConfiguration {
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(stop.length === 0 ? {} : { stopSequences: [...stop] }),
  };
}

function systemOf(request: ModelRequest, target: BedrockTarget): SystemContentBlock[] {
  const texts = request.messages.filter(({ role, content }) => role === "system" && content.trim() !== "").map(({ content }) => content.toWellFormed());
  const isAsked = request.format === "json" && !hasSchema(request, target);
  return [...texts, ...(isAsked ? [jsonInstruction(request)] : [])].map((text) => ({ text }));
}

function jsonInstruction({ schema }: ModelRequest): string {
  const bare = "Answer with one JSON value and nothing else: no words before or after it, and no code fence.";
  return schema === undefined ? bare : `${bare} It has to match this JSON Schema:\n${JSON.stringify(schema.schema)}`;
}

function hasSchema({ format, schema }: ModelRequest, { jsonSchema }: BedrockTarget): boolean {
  return format === "json" && schema !== undefined && jsonSchema === "native";
}

function outputOf(request: ModelRequest, target: BedrockTarget): Pick<ConverseStreamCommandInput, "outputConfig"> {
  const { schema } = request;
  if (schema === undefined || !hasSchema(request, target)) return {};
  return { outputConfig: { textFormat: { type: "json_schema", structure: { jsonSchema: { name: schema.name, schema: JSON.stringify(schema.schema) } } } } };
}
