import type { Metadata } from "../ports/document.ts";

type Scalar = string | number | boolean;

const maxKeys = 64;
const maxItems = 64;
const maxDepth = 8;
const maxLength = 1000;
const maxKeyLength = 100;

/**
 * What a document says about itself, made flat: nested keys are joined with dots, dates are ISO strings, empty values
 * are left out. Metadata goes into the ledger and the index with every document, so no key grows without bound.
 */
export function flattenMetadata(value: unknown): Metadata {
  const flat = new Map<string, Metadata[string]>();
  collect(value, "", 0, flat);
  return Object.fromEntries(flat);
}

function collect(value: unknown, key: string, depth: number, flat: Map<string, Metadata[string]>): void {
  if (flat.size >= maxKeys || key.length > maxKeyLength) return;
  const own = scalarOf(value);
  if (own !== undefined) {
    if (key !== "") flat.set(key, own);
    return;
  }
  if (value === null || typeof value !== "object" || value instanceof Date || depth >= maxDepth) return;
  if (Array.isArray(value)) {
    const items = value.slice(0, maxItems).map(scalarOf);
    const scalars = items.filter((item) => item !== undefined);
    if (scalars.length > 0 && key !== "") flat.set(key, scalars);
    if (items.length === scalars.length) return;
  }
  for (const [name, inner] of Object.entries(value).slice(0, maxKeys)) {
    if (Array.isArray(value) && scalarOf(inner) !== undefined) continue;
    if (name !== "__proto__") collect(inner, key === "" ? name : `${key}.${name}`, depth + 1, flat);
  }
}

function scalarOf(value: unknown): Scalar | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value === "bigint") return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : dateText(value);
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const text = value.trim();
  return text.length <= maxLength ? text : Array.from(text.slice(0, maxLength * 2)).slice(0, maxLength).join("");
}

/** TOML's dates know how much of a date they are; JavaScript's do not, and midnight is taken for a day. */
function dateText(date: Date): string {
  const iso = date.toISOString();
  return date.constructor === Date ? iso.replace(/T00:00:00\.000Z$/, "") : iso;
}
