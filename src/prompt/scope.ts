import type { JsonSchema } from "./picoschema.ts";

/** What is known about a value inside a template: its schema, or `undefined` when anything may be there. */
export type Shape = JsonSchema | undefined;

/** The shape of a field; or why there is no such field, with the names that there are. */
export type FieldResult = { readonly shape: Shape } | { readonly unknown: readonly string[]; readonly holder: string };

/** Looks a field up in a schema as a template does. Nothing is known of a schema that refers or combines. */
export function fieldOf(shape: Shape, name: string): FieldResult {
  if (shape === undefined || isOpen(shape)) return { shape: undefined };
  const types = typesOf(shape);
  if (types.includes("array")) {
    if (name === "length") return { shape: { type: "integer" } };
    if (/^\d+$/.test(name)) return { shape: itemsOf(shape) };
    return { unknown: ["length"], holder: "a list" };
  }
  if (types.includes("string") && name === "length") return { shape: { type: "integer" } };
  if (!types.includes("object")) return { unknown: [], holder: `a ${types.join(" or ")}` };
  const properties = mapping(shape["properties"]) ?? {};
  const property = Object.hasOwn(properties, name) ? mapping(properties[name]) : undefined;
  if (property !== undefined) return { shape: property };
  const more = shape["additionalProperties"];
  if (more === true) return { shape: undefined };
  const other = mapping(more);
  return other === undefined ? { unknown: Object.keys(properties), holder: "an object" } : { shape: other };
}

/** What a block such as #each goes over. */
export function itemsOf(shape: Shape): Shape {
  if (shape === undefined || isOpen(shape)) return undefined;
  if (typesOf(shape).includes("array")) return mapping(shape["items"]);
  return mapping(shape["additionalProperties"]);
}

/** Whether there is nothing inside the value to go over. */
export function isScalar(shape: Shape): boolean {
  if (shape === undefined || isOpen(shape)) return false;
  return !typesOf(shape).some((type) => type === "array" || type === "object");
}

/** `list` and `object` cannot be written out as text; a list of scalars can. */
export function textForm(shape: Shape): "text" | "object" | "list of objects" {
  if (shape === undefined || isOpen(shape)) return "text";
  const types = typesOf(shape);
  if (types.includes("object")) return "object";
  if (!types.includes("array")) return "text";
  return textForm(itemsOf(shape)) === "text" ? "text" : "list of objects";
}

/** The context of a partial: the fields of `base` and those given as name=value. */
export function withFields(base: Shape, fields: Readonly<Record<string, Shape>>): Shape {
  if (base === undefined || isOpen(base)) return undefined;
  const known = Object.fromEntries(Object.entries(fields).map(([name, shape]) => [name, shape ?? {}]));
  return { type: "object", additionalProperties: false, ...base, properties: { ...mapping(base["properties"]), ...known } };
}

function isOpen(shape: JsonSchema): boolean {
  return ["$ref", "anyOf", "oneOf", "allOf", "if"].some((key) => key in shape) || typesOf(shape).length === 0;
}

function typesOf(shape: JsonSchema): readonly string[] {
  const { type, properties, items } = shape;
  if (typeof type === "string") return [type];
  if (Array.isArray(type)) return type.filter((name): name is string => typeof name === "string" && name !== "null");
  if (Array.isArray(shape["enum"])) return ["string"];
  return properties === undefined ? (items === undefined ? [] : ["array"]) : ["object"];
}

function mapping(value: unknown): JsonSchema | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonSchema) : undefined;
}
