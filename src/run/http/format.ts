import { z } from "zod";
import type { Sampling } from "../../ports/model.ts";
import { JsonObject } from "./field.ts";

const schemaFields = {
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, "Expected 1 to 64 letters, digits, underscores and hyphens"),
  description: z.string().nullish(),
  schema: JsonObject.meta({ description: "JSON Schema of the answer" }),
  strict: z.boolean().nullish().meta({ description: "The answer is kept to the schema as well as the model's API can" }),
};
type SchemaFields = z.infer<z.ZodObject<typeof schemaFields>>;

const Text = z.strictObject({ type: z.literal("text") });
const JsonAlone = z.strictObject({ type: z.literal("json_object") });
const expected = { error: "Expected a format of type text, json_object or json_schema" };

export const ChatFormat = z.discriminatedUnion("type", [Text, JsonAlone, z.strictObject({ type: z.literal("json_schema"), json_schema: z.strictObject(schemaFields) })], expected);
export const TextFormat = z.discriminatedUnion("type", [Text, JsonAlone, z.strictObject({ type: z.literal("json_schema"), ...schemaFields })], expected);

/** What it asks of a model. */
export function formatOf(format: z.infer<typeof ChatFormat> | z.infer<typeof TextFormat>): Pick<Sampling, "format" | "schema"> {
  if (format.type === "text") return { format: "text" };
  if (format.type === "json_object") return { format: "json" };
  return { format: "json", schema: schemaOf("json_schema" in format ? format.json_schema : format) };
}

function schemaOf({ name, description, schema }: SchemaFields): NonNullable<Sampling["schema"]> {
  return { name, schema: description == null || "description" in schema ? schema : { description, ...schema } };
}
