import type { ConfigDeclaration } from "./schema.ts";
import type { ConfigValue } from "./setting.ts";

/** The value of a key from text, as an environment variable or a .env file gives it; undefined when it has another type. */
export function parseValue(declaration: ConfigDeclaration, text: string): ConfigValue | undefined {
  switch (declaration.type) {
    case "string":
      return text;
    case "boolean":
      return text === "true" ? true : text === "false" ? false : undefined;
    case "number":
    case "integer":
      return /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text) ? Number(text) : undefined;
  }
}

/** What is wrong with a value of a declared key, or undefined. The value itself is not repeated: it may be a secret. */
export function valueComplaint(declaration: ConfigDeclaration, value: ConfigValue): string | undefined {
  const { type, min, max, enum: allowed } = declaration;
  const isOfType = type === "integer" ? Number.isSafeInteger(value) : typeof value === type;
  if (!isOfType) return `Expected ${type === "integer" ? "an integer" : `a ${type}`}`;
  if (typeof value === "number" && min !== undefined && value < min) return `Expected at least ${min}`;
  if (typeof value === "number" && max !== undefined && value > max) return `Expected at most ${max}`;
  if (allowed !== undefined && !allowed.includes(String(value))) return `Expected one of ${allowed.join(", ")}`;
  return undefined;
}
