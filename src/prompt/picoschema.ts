import type { Json } from "../core/canonical-json.ts";

/** JSON Schema (draft 2020-12) as plain data. */
export type JsonSchema = { [key: string]: Json };

/** A schema that cannot be read; `path` leads to the field inside the schema. */
export class SchemaProblem extends Error {
  readonly path: readonly string[];
  constructor(message: string, path: readonly string[]) {
    super(message);
    this.path = path;
  }
}

const scalars: readonly string[] = ["any", "boolean", "integer", "null", "number", "string"];
const wildcard = "(*)";
const keywords = new Set(
  ("$schema $id $ref $anchor $defs $comment definitions title description default examples deprecated readOnly writeOnly enum const type format " +
    "properties patternProperties propertyNames additionalProperties unevaluatedProperties required minProperties maxProperties dependentRequired dependentSchemas " +
    "items prefixItems contains minContains maxContains additionalItems unevaluatedItems minItems maxItems uniqueItems " +
    "minLength maxLength pattern contentEncoding contentMediaType minimum maximum exclusiveMinimum exclusiveMaximum multipleOf " +
    "anyOf oneOf allOf not if then else nullable").split(" "),
);

/**
 * Reads a schema of a prompt's front matter: Picoschema (https://google.github.io/dotprompt/reference/picoschema/) or
 * full JSON Schema, told apart as the dotprompt package does, save that a field named `type` stays a field where the
 * other keys show that Picoschema is meant. Throws a SchemaProblem.
 */
export function readSchema(schema: unknown): JsonSchema {
  if (typeof schema === "string") return scalar(schema, []);
  if (!isMapping(schema)) throw new SchemaProblem("A schema is a type name or a mapping of fields", []);
  if (isJsonSchema(schema)) return "type" in schema ? (schema as JsonSchema) : { ...(schema as JsonSchema), type: "object" };
  return object(schema, []);
}

/** Whether it is read as JSON Schema, which may be wrong in itself; what Picoschema gives never is. */
export function isJsonSchema(schema: unknown): boolean {
  if (!isMapping(schema)) return false;
  if (isMapping(schema["properties"])) return true;
  const type = schema["type"];
  if (typeof type !== "string" || ![...scalars, "object", "array"].includes(type)) return false;
  const others = Object.keys(schema).filter((key) => key !== "type");
  if (others.some((key) => !keywords.has(key))) return false;
  const doubtful = others.find((key) => typeof schema[key] === "string" && scalars.includes(describe(schema[key]).type));
  if (doubtful === undefined) return true;
  throw new SchemaProblem(`"type" and "${doubtful}" read as JSON Schema and as fields. For fields, give type a description: \`type: ${type}, what it is\``, ["type"]);
}

function field(value: unknown, path: readonly string[]): JsonSchema {
  if (typeof value === "string") return scalar(value, path);
  if (isMapping(value)) return object(value, path);
  throw new SchemaProblem(`Expected a type name or a mapping of fields, found ${Array.isArray(value) ? "a list; a list of choices needs name(enum)" : JSON.stringify(value)}`, path);
}

function object(fields: Readonly<Record<string, unknown>>, path: readonly string[]): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  let additionalProperties: Json = false;
  for (const [key, value] of Object.entries(fields)) {
    const at = [...path, key];
    if (key === wildcard) {
      additionalProperties = field(value, at);
      continue;
    }
    const match = /^([^(?]+)(\?)?(?:\((.*)\))?$/s.exec(key);
    const name = match?.[1]?.trim();
    if (match === null || name === undefined || name === "") throw new SchemaProblem(`"${key}" is not a field: write name, name?, name(array), name(object) or name(enum)`, at);
    const isOptional = match[2] !== undefined;
    if (Object.hasOwn(properties, name)) throw new SchemaProblem(`The field "${name}" stands twice`, at);
    properties[name] = parenthesised(match[3], value, at, isOptional);
    if (!isOptional) required.push(name);
  }
  return { type: "object", properties, ...(required.length === 0 ? {} : { required }), additionalProperties };
}

function parenthesised(info: string | undefined, value: unknown, path: readonly string[], isOptional: boolean): JsonSchema {
  if (info === undefined) return nullable(field(value, path), isOptional);
  const { type, description } = describe(info);
  const described = (schema: JsonSchema): JsonSchema => (description === undefined ? schema : { ...schema, description });
  switch (type) {
    case "array":
      return described(nullable({ type: "array", items: field(value, path) }, isOptional));
    case "object":
      return described(nullable(field(value, path), isOptional));
    case "enum": {
      if (!Array.isArray(value) || value.length === 0) throw new SchemaProblem("An enum takes a list of its values", path);
      const values = value as readonly Json[];
      return described({ enum: isOptional && !values.includes(null) ? [...values, null] : [...values] });
    }
    default:
      throw new SchemaProblem(`"${type}" is not allowed in parentheses. Allowed: array, object, enum`, path);
  }
}

function nullable(schema: JsonSchema, isOptional: boolean): JsonSchema {
  return isOptional && typeof schema["type"] === "string" ? { ...schema, type: [schema["type"], "null"] } : schema;
}

function scalar(text: string, path: readonly string[]): JsonSchema {
  const { type, description } = describe(text);
  if (!scalars.includes(type)) {
    throw new SchemaProblem(`Unknown type "${type}". Allowed: ${scalars.join(", ")}. Named schemas are not resolved: write the schema here. A list is name(array): string`, path);
  }
  const schema: JsonSchema = type === "any" ? {} : { type };
  return description === undefined ? schema : { ...schema, description };
}

/** `string, the name, in full` is the type and all that follows the first comma. */
function describe(text: unknown): { readonly type: string; readonly description?: string } {
  const [, type = "", description] = /^([^,]*)(?:,\s*(.*))?$/s.exec(String(text)) ?? [];
  return description === undefined || description === "" ? { type: type.trim() } : { type: type.trim(), description };
}

const listsOfSchemas = new Set(["anyOf", "oneOf", "allOf", "prefixItems"]);
const mapsOfSchemas = new Set(["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"]);
const schemasWithin = new Set(["items", "contains", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "propertyNames", "not", "if", "then", "else"]);

/** The first keyword that JSON Schema does not have; a validator would pass over it in silence. */
export function unknownKeyword(schema: Json | undefined): string | undefined {
  if (!isMapping(schema)) return undefined;
  for (const [key, value] of Object.entries(schema as JsonSchema)) {
    if (!keywords.has(key) && !key.startsWith("x-")) return key;
    const inner = mapsOfSchemas.has(key) || listsOfSchemas.has(key) ? Object.values(value ?? {}) : schemasWithin.has(key) ? [value] : [];
    const found = (inner as readonly Json[]).map((child) => unknownKeyword(child)).find((name) => name !== undefined);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
