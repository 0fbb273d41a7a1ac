import type { Json } from "../core/canonical-json.ts";

export type Variables = Readonly<Record<string, Json>>;
export type Filled = { readonly value: Json } | { readonly unknown: string };

const placeholder = /\{\{\s*([A-Za-z_][\w-]*)\s*\}\}/g;
const other = /\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}/s;

/**
 * Replaces `{{name}}` in every text of `value`. promptfoo's templates can do more; what is not a plain name is refused,
 * because a template left in place would be compared with the answer letter by letter.
 */
export function fillIn(value: Json, variables: Variables): Filled {
  const problems: string[] = [];
  const filled = walk(value, (text) => {
    const rest = other.exec(text.replaceAll(placeholder, ""));
    if (rest !== null) problems.push(`Only {{name}} of a variable is supported; found ${rest[0]}`);
    return text.replaceAll(placeholder, (written, name: string) => {
      const variable = Object.hasOwn(variables, name) ? variables[name] : undefined;
      if (variable !== undefined) return typeof variable === "string" ? variable : JSON.stringify(variable);
      problems.push(`There is no variable "${name}"; the case has ${Object.keys(variables).join(", ") || "none"}`);
      return written;
    });
  });
  return problems[0] === undefined ? { value: filled } : { unknown: problems[0] };
}

/** Templates inside variables, filled from the others; a variable that needs itself is refused. */
export function fillVariables(variables: Variables): { readonly variables: Variables } | { readonly name: string; readonly unknown: string } {
  const isTemplate = (value: Json): boolean => /\{\{|\{%|\{#/.test(JSON.stringify(value));
  const known: Record<string, Json> = Object.fromEntries(Object.entries(variables).filter(([, value]) => !isTemplate(value)));
  let open = Object.entries(variables).filter(([, value]) => isTemplate(value));
  while (open.length > 0) {
    const filled = open.map(([name, value]) => [name, value, fillIn(value, known)] as const);
    const done = filled.flatMap(([name, , result]) => ("value" in result ? [[name, result.value] as const] : []));
    const stuck = filled.find(([, , result]) => "unknown" in result);
    if (done.length === 0 && stuck !== undefined && "unknown" in stuck[2]) return { name: stuck[0], unknown: stuck[2].unknown };
    for (const [name, value] of done) known[name] = value;
    open = filled.flatMap(([name, value, result]) => ("unknown" in result ? [[name, value] as [string, Json]] : []));
  }
  return { variables: Object.fromEntries(Object.keys(variables).map((name) => [name, known[name] ?? null])) };
}

function walk(value: Json, change: (text: string) => string): Json {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item: Json) => walk(item, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item ?? null, change)]));
}
