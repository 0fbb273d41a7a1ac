import { z } from "zod";
import { canonicalJson, type Json } from "../core/canonical-json.ts";
import type { Problem } from "../core/errors.ts";
import { formatPath, schemaProblems } from "../core/problems.ts";
import { parseYaml, type YamlSource } from "../core/yaml.ts";
import { isJsonSchema, type JsonSchema, readSchema, SchemaProblem } from "./picoschema.ts";
import { schemaFault, valueProblems } from "./validate.ts";

const Values = z.record(z.string(), z.json());

/** The settings that all models share have their types; the others are the provider's own. */
const Config = z
  .object({
    version: z.string().optional(),
    temperature: z.number().optional(),
    maxOutputTokens: z.number().optional(),
    topK: z.number().optional(),
    topP: z.number().optional(),
    stopSequences: z.array(z.string()).optional(),
  })
  .catchall(z.json());

/** The keys of the dotprompt format (https://google.github.io/dotprompt/reference/frontmatter/). */
const FrontMatter = z.strictObject({
  name: z.string().optional(),
  variant: z.string().optional(),
  version: z.union([z.string(), z.number()]).optional(),
  description: z.string().optional(),
  model: z.string().optional(),
  config: Config.optional(),
  input: z.strictObject({ schema: z.json().optional(), default: Values.optional() }).optional(),
  output: z.strictObject({ format: z.enum(["text", "json"]).optional(), schema: z.json().optional() }).optional(),
  tools: z.array(z.json()).optional(),
  toolDefs: z.array(z.json()).optional(),
  metadata: Values.optional(),
  ext: Values.optional(),
  raw: Values.optional(),
});

/** Front matter with its schemas read. */
export interface ReadFrontMatter {
  readonly name: string | undefined;
  readonly model: string | null;
  readonly config: Readonly<Record<string, Json>>;
  readonly inputSchema: JsonSchema | null;
  readonly inputDefault: Readonly<Record<string, Json>>;
  readonly format: "text" | "json";
  readonly outputSchema: JsonSchema | null;
  readonly metadata: Readonly<Record<string, Json>>;
}

export type FrontMatterResult = { readonly value: ReadFrontMatter } | { readonly problems: readonly Problem[] };

export const noFrontMatter: ReadFrontMatter = { name: undefined, model: null, config: {}, inputSchema: null, inputDefault: {}, format: "text", outputSchema: null, metadata: {} };

/** What LiteLLM writes at the top level, and dotprompt keeps under `config`. */
const foreignKeys = new Set(["temperature", "max_tokens", "max_completion_tokens", "top_p", "stop", "seed", "provider", "frequency_penalty", "presence_penalty"]);

/** Reads front matter that starts at `line` of `file`. Unknown keys, wrong types and unreadable schemas are problems. */
export function readFrontMatter(text: string, file: string, line: number): FrontMatterResult {
  const yaml = parseYaml(text, file, line);
  if ("problems" in yaml) return yaml;
  const { source } = yaml;
  const all = source.value ?? {};
  if (typeof all !== "object" || Array.isArray(all)) return { problems: [{ file, line, column: 1, message: "The front matter must be a mapping of keys" }] };
  const unstorable = storageFault(all);
  if (unstorable !== undefined) return { problems: [{ file, line, column: 1, message: `The front matter cannot be stored: ${unstorable}` }] };
  const foreign = Object.keys(all).filter((key) => foreignKeys.has(key));
  if (foreign.length > 0) return { problems: foreign.map((key) => ({ ...source.locate([key], "key"), path: key, message: liteLlmMessage(key) })) };

  // A key with a dot belongs to an extension: `twelve.owner: x`.
  const extensions = Object.fromEntries(Object.entries(all).filter(([key]) => key.includes(".")));
  const own = Object.fromEntries(Object.entries(all).filter(([key, value]) => !key.includes(".") && value !== null));
  const result = FrontMatter.safeParse(own);
  if (!result.success) return { problems: schemaProblems(result.error, FrontMatter, source) };
  const { name, model, config = {}, input = {}, output = {}, raw: _raw, variant: _variant, ...described } = result.data;
  const problems: Problem[] = [];
  const inputSchema = schemaAt(input.schema, ["input", "schema"], source, problems);
  const outputSchema = schemaAt(output.schema, ["output", "schema"], source, problems);
  if (problems.length === 0 && inputSchema !== null && input.default !== undefined) {
    for (const { path = "", message } of valueProblems(inputSchema, input.default, { isPartial: true })) {
      const at = ["input", "default", ...(path === "" ? [] : path.split("."))];
      problems.push({ ...source.locate(at, path === "" ? "value" : "key"), path: formatPath(at), message });
    }
  }
  if (problems.length > 0) return { problems };
  return {
    value: {
      name,
      model: model ?? null,
      config,
      inputSchema,
      inputDefault: input.default ?? {},
      format: output.format ?? (outputSchema === null ? "text" : "json"),
      outputSchema,
      metadata: { ...(described as Record<string, Json>), ...(extensions as Record<string, Json>) },
    },
  };
}

function schemaAt(schema: unknown, path: readonly string[], source: YamlSource, problems: Problem[]): JsonSchema | null {
  if (schema === undefined || schema === null) return null;
  try {
    const read = readSchema(schema);
    const fault = (isJsonSchema(schema) ? schemaFault(read) : undefined) ?? (path[0] === "input" ? inputFault(read) : undefined);
    if (fault === undefined) return read;
    problems.push({ ...source.locate(path), path: formatPath(path), message: fault });
    return null;
  } catch (error) {
    if (!(error instanceof SchemaProblem)) throw error;
    const at = [...path, ...error.path];
    problems.push({ ...source.locate(at, error.path.length > 0 ? "key" : "value"), path: formatPath(at), message: error.message });
    return null;
  }
}

/** Variables have names: a prompt that takes a string or a list could never be given it. */
function inputFault({ type }: JsonSchema): string | undefined {
  const types = JSON.stringify(type ?? "object");
  return types.includes('"object"') ? undefined : `The variables of a prompt are an object with named fields, not ${types}`;
}

/** YAML can say what JSON cannot: .inf, half a surrogate pair, a value that holds itself. */
function storageFault(value: unknown): string | undefined {
  try {
    canonicalJson(value);
    return undefined;
  } catch (cause) {
    if (cause instanceof RangeError) return "a value holds itself through an alias";
    if (cause instanceof TypeError) return cause.message;
    throw cause;
  }
}

function liteLlmMessage(key: string): string {
  return `"${key}" stands at the top level in LiteLLM's dialect of .prompt files. In dotprompt, sampling goes under \`config:\` and roles are {{role "system"}}, {{role "user"}}`;
}
