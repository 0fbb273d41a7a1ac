import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import type { Tool } from "../../../ports/model.ts";
import type { CallFacts, LoadedTool } from "./message.ts";

export interface ModuleTool extends LoadedTool {
  /** The arguments as the module's own schema makes them, or what it finds wrong with them. */
  parse(given: unknown): Promise<{ readonly value: unknown } | { readonly problems: string }>;
  execute(given: unknown, context: CallFacts & { readonly signal: AbortSignal }): unknown;
}

/** Loads the file and looks at its default export. Throws an error for a person where it is no tool. */
export async function loadTool(file: string): Promise<ModuleTool> {
  const { default: exported } = (await import(pathToFileURL(file).href)) as { readonly default?: unknown };
  if (!isObject(exported)) throw new Error(`it has no default export that is a tool: \`export default { description, parameters, execute }\``);
  const { description, parameters, execute } = exported;
  if (typeof execute !== "function") throw new Error("`execute` of its default export is no function");
  if (description !== undefined && typeof description !== "string") throw new Error("`description` of its default export is no text");
  if (parameters !== undefined && !isObject(parameters)) throw new Error("`parameters` of its default export is neither a Zod schema nor a JSON Schema");
  const schema = parameters === undefined ? undefined : await toJsonSchema(parameters, file);
  return {
    ...(description === undefined ? {} : { description }),
    ...(schema === undefined ? {} : { parameters: schema }),
    parse: (given) => parse(parameters, given),
    execute: (given, context) => (execute as ModuleTool["execute"]).call(exported, given, context),
  };
}

interface Standard {
  validate(value: unknown): unknown;
  /** https://standardschema.dev/json-schema */
  readonly jsonSchema?: { input(options: { readonly target: string }): unknown };
}

function standardOf(schema: Readonly<Record<string, unknown>>): Standard | undefined {
  const standard = schema["~standard"];
  return isObject(standard) && typeof standard["validate"] === "function" ? (standard as unknown as Standard) : undefined;
}

/** By the schema's own means; an older Zod is asked where the module has it from. */
async function toJsonSchema(schema: Readonly<Record<string, unknown>>, file: string): Promise<Tool["parameters"]> {
  const standard = standardOf(schema);
  const made = standard === undefined ? schema : (standard.jsonSchema?.input({ target: "draft-2020-12" }) ?? (await zodSchema(schema, file)));
  if (!isObject(made)) throw new Error("`parameters` of its default export cannot be written as JSON Schema");
  // Only what JSON can hold crosses to the other thread.
  return JSON.parse(JSON.stringify(made)) as Tool["parameters"];
}

async function zodSchema(schema: unknown, file: string): Promise<unknown> {
  const found = createRequire(file).resolve("zod");
  const zod = (await import(pathToFileURL(found).href)) as { readonly toJSONSchema?: (schema: unknown, options: object) => unknown; readonly z?: { readonly toJSONSchema?: (schema: unknown, options: object) => unknown } };
  const make = zod.toJSONSchema ?? zod.z?.toJSONSchema;
  if (make === undefined) throw new Error("the schema of its `parameters` cannot be written as JSON Schema: Zod 4 can, or give a JSON Schema");
  return make(schema, { io: "input" });
}

async function parse(schema: Readonly<Record<string, unknown>> | undefined, given: unknown): ReturnType<ModuleTool["parse"]> {
  const standard = schema === undefined ? undefined : standardOf(schema);
  if (standard === undefined) return { value: given };
  const parsed = await standard.validate(given);
  if (!isObject(parsed) || !Array.isArray(parsed["issues"])) return { value: isObject(parsed) ? parsed["value"] : given };
  return { problems: parsed["issues"].slice(0, 10).map(issueText).join("; ") };
}

function issueText(issue: unknown): string {
  const { path, message } = isObject(issue) ? issue : {};
  const names = Array.isArray(path) ? path.map((part) => String(isObject(part) ? part["key"] : part)).join(".") : "";
  return names === "" ? String(message) : `${names}: ${String(message)}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
