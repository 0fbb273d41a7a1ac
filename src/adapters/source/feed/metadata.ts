import type { Metadata } from "../../../ports/document.ts";

type Scalar = string | number | boolean;
type Field = readonly [key: string, value: Scalar | Scalar[]];

const maxDepth = 16;

/**
 * The fields of a feed's line as flat metadata: `{a: {b: 1}}` is `a.b`, objects in a list are counted from 0, and null
 * is no value. Undefined for values nested deeper than anybody writes by hand.
 */
export function flatMetadata(fields: Readonly<Record<string, unknown>>): Metadata | undefined {
  const flat = flatten("", fields, 0);
  return flat === undefined ? undefined : Object.fromEntries(flat.map(([key, value]) => [key, Array.isArray(value) ? [...value] : value]));
}

function flatten(key: string, value: unknown, depth: number): readonly Field[] | undefined {
  if (depth > maxDepth) return undefined;
  if (isScalar(value)) return [[key, wellFormed(value)]];
  if (Array.isArray(value) && value.every(isScalar)) return [[key, value.map(wellFormed)]];
  if (typeof value !== "object" || value === null) return [];
  const found: Field[] = [];
  for (const [name, inner] of Object.entries(value)) {
    // A field of this name would change what objects are, not what they hold.
    if (name === "__proto__") continue;
    const below = flatten(key === "" ? name.toWellFormed() : `${key}.${name.toWellFormed()}`, inner, depth + 1);
    if (below === undefined) return undefined;
    found.push(...below);
  }
  return found;
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
}

/** Half of a surrogate pair has no UTF-8, and so no digest that two machines agree on. */
function wellFormed(value: Scalar): Scalar {
  return typeof value === "string" ? value.toWellFormed() : value;
}
