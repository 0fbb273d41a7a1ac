import { z } from "zod";
import { Digest } from "../core/descriptor.ts";

const JsonObject = z.record(z.string(), z.json());

/** One `.prompt` file, compiled: everything that rendering needs and nothing that rendering must look up. */
export const CompiledPrompt = z.strictObject({
  name: z.string().meta({ description: "Prompt name, with its folder: support/answer" }),
  variant: z.string().nullable().meta({ description: "Variant: strict for answer.strict.prompt" }),
  path: z.string().meta({ description: "File it came from: a path in the application, or npm:<package>@<version>/<path>" }),
  model: z.string().nullable().meta({ description: "Model named in the front matter; an agent's own model wins" }),
  config: JsonObject.meta({ description: "Model configuration of the front matter, such as temperature" }),
  input: z.strictObject({
    schema: JsonObject.nullable().meta({ description: "JSON Schema of the variables; null when the prompt declares none" }),
    default: JsonObject.meta({ description: "Values of variables that the caller leaves out" }),
  }),
  output: z.strictObject({
    format: z.enum(["text", "json"]),
    schema: JsonObject.nullable().meta({ description: "JSON Schema of the answer" }),
  }),
  template: z.string().meta({ description: "Handlebars source" }),
  partials: z.record(z.string(), z.string()).meta({ description: "Source of every partial that the template reaches" }),
  metadata: JsonObject.meta({ description: "metadata and extension keys of the front matter" }),
  digest: Digest.meta({ description: "Digest of all the fields above but path" }),
});
export type CompiledPrompt = z.infer<typeof CompiledPrompt>;

type PromptName = Pick<CompiledPrompt, "name" | "variant">;

/** `answer`, or `answer.strict` for its variant. */
export function promptTitle({ name, variant }: PromptName): string {
  return variant === null ? name : `${name}.${variant}`;
}

/** The prompt of exactly this name and variant. */
export function findPrompt(prompts: readonly CompiledPrompt[], { name, variant }: PromptName): CompiledPrompt | undefined {
  return prompts.find((prompt) => prompt.name === name && prompt.variant === variant);
}

/** One message of a rendered prompt, in the order it is sent. */
export interface RenderedMessage {
  readonly role: "system" | "user" | "model" | "tool";
  readonly content: readonly RenderedPart[];
  /** `history` for a message of the earlier conversation. */
  readonly metadata?: { readonly purpose: string };
}
export type RenderedPart =
  | { readonly text: string }
  /** Start of a named section, from the section helper. */
  | { readonly metadata: { readonly purpose: string; readonly pending: true } }
  | { readonly media: { readonly url: string; readonly contentType?: string } };
