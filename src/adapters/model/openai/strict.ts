import type { Json } from "../../../core/canonical-json.ts";

/**
 * Whether OpenAI takes a schema as one that the answer must match to the letter: each object forbids further fields and
 * requires its own. Any other schema is followed as well as the model can.
 */
export function isStrict(schema: Json): boolean {
  if (Array.isArray(schema)) return schema.every(isStrict);
  if (typeof schema !== "object" || schema === null) return true;
  const fields = schema as Readonly<Record<string, Json>>;
  if (fields["type"] === "object" || fields["properties"] !== undefined) {
    const names = Object.keys(fields["properties"] ?? {});
    const required = Array.isArray(fields["required"]) ? fields["required"] : [];
    if (fields["additionalProperties"] !== false || !names.every((name) => required.includes(name))) return false;
  }
  return Object.values(fields).every(isStrict);
}
