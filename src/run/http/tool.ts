import { z } from "zod";
import type { Tool, ToolCall, ToolChoice } from "../../ports/model.ts";
import { JsonObject } from "./field.ts";

const functionsOnly = { error: "Only tools of type function are supported" };
const ToolName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, "Expected 1 to 64 letters, digits, underscores and hyphens");
const definition = {
  name: ToolName,
  description: z.string().nullish().meta({ description: "What the tool does, for the model" }),
  parameters: JsonObject.nullish().meta({ description: "JSON Schema of the arguments, an object" }),
  strict: z.boolean().nullish().meta({ description: "Arguments are kept to the schema as well as the model's API can" }),
};
type Definition = z.infer<z.ZodObject<typeof definition>>;

/** A tool of the caller's: what the model wants called is its answer. */
export const ChatTool = z.strictObject({ type: z.literal("function", functionsOnly), function: z.strictObject(definition) });
export const ResponseTool = z.strictObject({ type: z.literal("function", functionsOnly), ...definition });

const choices = ["none", "auto", "required"] as const;
const wrongChoice = (named: string): { readonly error: string } => ({ error: `Expected none, auto, required or ${named}` });
export const ChatToolChoice = z.union([z.enum(choices), z.strictObject({ type: z.literal("function"), function: z.strictObject({ name: ToolName }) })], wrongChoice('{type: "function", function: {name}}'));
export const ResponseToolChoice = z.union([z.enum(choices), z.strictObject({ type: z.literal("function"), name: ToolName })], wrongChoice('{type: "function", name}'));
type AnyChoice = z.infer<typeof ChatToolChoice> | z.infer<typeof ResponseToolChoice>;

const anyObject = { type: "object", properties: {} } as const;

export function toolOf({ name, description, parameters }: Definition): Tool {
  return { name, ...(description == null ? {} : { description }), parameters: parameters ?? anyObject };
}

export function choiceOf(choice: AnyChoice): ToolChoice {
  if (typeof choice === "string") return choice;
  return { name: "function" in choice ? choice.function.name : choice.name };
}

/** What is wrong with a choice: it needs tools to choose from. */
export function choiceProblem(choice: AnyChoice | null | undefined, names: readonly string[]): string | undefined {
  if (choice == null || choice === "none" || choice === "auto") return undefined;
  if (choice === "required") return names.length === 0 ? "A call is required, but the request has no tools" : undefined;
  const { name } = choiceOf(choice) as Exclude<ToolChoice, string>;
  return names.includes(name) ? undefined : `The tool ${name} is not among the tools of the request`;
}

/** A call in a conversation that is sent back. */
export const CallName = ToolName;

export function callOf(id: string, name: string, given: string): ToolCall {
  return { id, name, arguments: given === "" ? "{}" : given };
}
