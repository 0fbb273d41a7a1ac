import Handlebars from "handlebars";
import type { Problem } from "../core/errors.ts";

export type Program = ReturnType<typeof Handlebars.parse>;
export type Node = Program["body"][number];

/** Helpers that a template may use: those of the dotprompt format and those of Handlebars that only choose and repeat. */
export const helperNames: readonly string[] = ["if", "unless", "each", "with", "lookup", "json", "role", "history", "media", "section", "ifEquals", "unlessEquals"];

/** Where a template's text begins in its file, to turn the parser's places into the file's. */
export interface TemplateOrigin {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Parses a template; a syntax error is a problem with its place in the file. */
export function parseTemplate(template: string, origin: TemplateOrigin): { readonly program: Program } | { readonly problem: Problem } {
  try {
    return { program: Handlebars.parse(template) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const { line, column } = failurePlace(error);
    return { problem: { ...placeOf({ line, column }, origin), message: `The template cannot be read: ${plain(message)}` } };
  }
}

/** The parser counts lines from 1 and columns from 0. */
export function placeOf({ line, column }: { readonly line: number; readonly column: number }, origin: TemplateOrigin): { file: string; line: number; column: number } {
  return { file: origin.file, line: origin.line + line - 1, column: (line === 1 ? origin.column : 1) + column };
}

/** A mismatched block says where it is; the parser itself only by where its lexer stopped. */
function failurePlace(error: unknown): { readonly line: number; readonly column: number } {
  const { lineNumber, column } = error as { lineNumber?: number; column?: number };
  if (lineNumber !== undefined) return { line: lineNumber, column: column ?? 0 };
  const { lexer } = (Handlebars as unknown as { Parser: { lexer: { yylloc: { first_line: number; first_column: number } } } }).Parser;
  return { line: lexer.yylloc.first_line, column: lexer.yylloc.first_column };
}

/** The parser's own text shows a piece of the source with an arrow and the names of its tokens; the last line says what is wrong. */
function plain(message: string): string {
  const [first = "", ...rest] = message.split("\n");
  const got = /got '([^']*)'/.exec(message)?.[1];
  if (got === undefined) return first.replace(/^(Parse|Lexical) error on line \d+[:.]?\s*/, "").replace(/ - \d+:\d+$/, "") || rest.join(" ");
  if (got === "INVALID") return `an expression is not closed, or holds a character that does not belong there, near ${JSON.stringify(rest[0]?.trim() ?? "")}`;
  if (got === "EOF") return "it ends inside an expression or a block; a }} or a closing {{/...}} is missing";
  return `unexpected ${tokenNames[got] ?? got.toLowerCase()} near ${JSON.stringify(rest[0]?.trim() ?? "")}`;
}

const tokenNames: Readonly<Record<string, string>> = {
  OPEN_ENDBLOCK: "closing of a block that is not open",
  CLOSE: "}}",
  EQUALS: "=",
  SEP: "separator",
};
