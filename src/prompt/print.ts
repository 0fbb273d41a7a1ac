import { TwelveError } from "../core/errors.ts";
import { helperNames, type Program } from "./template.ts";

/** Not a name that a template can write as a helper: the check knows no such helper. */
export const printHelper = "text of";

/**
 * Sends every {{variable}} through the print helper, changing `program` in place. Handlebars alone would join what it
 * prints with `+`, so that the numbers of {{a}}{{b}} are added up, and would print an object as [object Object].
 * `isStrict` makes a variable that is not there an error.
 */
export function printThroughHelper(program: Program, isStrict: boolean): Program {
  program.body = program.body.map((node) => {
    if (node.type === "MustacheStatement") return printed(node as hbs.AST.MustacheStatement, isStrict);
    const { program: inner, inverse } = node as hbs.AST.BlockStatement;
    if (inner !== undefined) printThroughHelper(inner, isStrict);
    if (inverse !== undefined) printThroughHelper(inverse, isStrict);
    return node;
  });
  return program;
}

function printed(node: hbs.AST.MustacheStatement, isStrict: boolean): hbs.AST.MustacheStatement {
  const path = node.path as hbs.AST.PathExpression;
  const isVariable = path.type === "PathExpression" && node.params.length === 0 && (node.hash?.pairs.length ?? 0) === 0 && !helperNames.includes(path.original);
  if (!isVariable) return node;
  const { loc } = path;
  const helper = { ...path, data: false, depth: 0, parts: [printHelper], original: printHelper };
  const name = { type: "StringLiteral", value: path.original, original: path.original, loc };
  // Handlebars is strict about what it prints, and this was printed.
  return { ...node, path: helper, params: [{ ...path, strict: isStrict } as hbs.AST.Expression, name] };
}

/** The helper itself. Lists of plain values print as JavaScript prints them, joined by commas. */
export function printValue(value: unknown, name: string): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value !== "object") return JSON.stringify(value) ?? "";
  if (Array.isArray(value) && value.every((item) => typeof item !== "object")) return value.map((item) => printValue(item, name)).join(",");
  throw new TwelveError("PROMPT_INPUT_INVALID", `${name} holds ${Array.isArray(value) ? "a list of objects" : "an object"} and would print as [object Object]`, {
    fix: `Give it as text, or write {{json ${name}}} in the template`,
  });
}
