import { fencedBlock } from "../fence.ts";
import type { Block, LoadedDocument, TextBlock } from "../schema.ts";
import { linesBlock } from "./code.ts";

/** What is shorter is read as a whole; what is longer is looked into. */
const wholeLength = 2000;
const maxHeadings = 4;

/** The values with their structure, one property or record to a line or a part. Comments are allowed, as tools allow them. */
export function loadJson(text: string): LoadedDocument {
  const value = parseJson(text);
  if (value === undefined) return { blocks: linesBlock(text, "json"), metadata: {} };
  return { blocks: /^(?:\{\}|\[\]|""|null)$/.test(text.trim()) ? [] : valueBlocks(value, 1), metadata: {} };
}

/** One record to a line, each a part of its own. A line that is no JSON is kept as it stands. */
export function loadJsonLines(text: string): LoadedDocument {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return { blocks: [recordsBlock(lines.map((line) => parseJson(line) ?? line))], metadata: {} };
}

/** Numbers too long for JavaScript are kept as they are written: they are names of things, and one digit off is another thing. */
function parseJson(text: string): unknown {
  try {
    if (!/\d{16}/.test(text)) return JSON.parse(text) as unknown;
    return JSON.parse(text, function keepDigits(_, value: unknown, context?: { readonly source?: string }) {
      return typeof value === "number" && context?.source !== undefined && /\d{16}/.test(context.source) ? rawJson(context.source) : value;
    } as (this: unknown, key: string, value: unknown) => unknown) as unknown;
  } catch {
    return undefined;
  }
}

function rawJson(source: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(source);
}

function valueBlocks(value: unknown, depth: number): readonly Block[] {
  const whole = pretty(value);
  if (whole.length <= wholeLength || typeof value !== "object" || value === null || depth > maxHeadings) return [fencedBlock(whole, "json")];
  if (Array.isArray(value)) return [recordsBlock(value)];
  // Small ones first, or they would stand below the name of the large one before them.
  const properties = Object.entries(value).map(([key, inner]) => ({ key, inner, isLarge: pretty(inner).length > wholeLength }));
  const small = properties.filter(({ isLarge }) => !isLarge);
  return [
    ...(small.length === 0 ? [] : [propertiesBlock(small.map(({ key, inner }) => [key, inner]))]),
    ...properties.filter(({ isLarge }) => isLarge).flatMap(({ key, inner }): readonly Block[] => [{ kind: "heading", depth, text: key }, ...valueBlocks(inner, depth + 1)]),
  ];
}

/** Some properties of an object, each a part of its own, in braces like the object itself. */
function propertiesBlock(properties: readonly (readonly [string, unknown])[]): TextBlock {
  const parts = properties.map(([key, value], i) => `  ${JSON.stringify(key)}: ${pretty(value).replaceAll("\n", "\n  ")}${i < properties.length - 1 ? "," : ""}`);
  const { kind, head = "", tail = "" } = fencedBlock("", "json");
  return { kind, text: `${head}{\n${parts.join("\n")}\n}${tail}`, parts, head: `${head}{\n`, tail: `\n}${tail}` };
}

/** Records as parts, so that a piece never ends inside one that fits. */
function recordsBlock(records: readonly unknown[]): TextBlock {
  const parts = records.map(pretty);
  return fencedBlock(parts.join("\n"), "json", parts);
}

function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
