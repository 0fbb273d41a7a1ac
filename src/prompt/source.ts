import type { Problem } from "../core/errors.ts";

/** A prompt file, taken apart. Lines count from 1 and are those of the file. */
export interface PromptSource {
  readonly frontMatter: { readonly text: string; readonly line: number } | null;
  readonly template: string;
  /** Where the template's first character stands. */
  readonly line: number;
  readonly column: number;
}

/**
 * Splits a file at its `---` lines. Comment lines (a licence, say) may stand before the first one. A template below front
 * matter loses the white space around it, as in the dotprompt package; a file without front matter is all template.
 */
export function splitSource(text: string, file: string): PromptSource | { readonly problem: Problem } {
  const source = text.replace(/^\uFEFF/, "").replaceAll(/\r\n?/g, "\n");
  const lines = source.split("\n");
  const isFence = (line: string | undefined): boolean => line !== undefined && /^---\s*$/.test(line);
  const start = lines.findIndex((line) => !/^\s*(#.*)?$/.test(line));
  if (!isFence(lines[start])) return { frontMatter: null, template: source, line: 1, column: 1 };
  const end = lines.findIndex((line, index) => index > start && isFence(line));
  if (end === -1) {
    // After a heading, a lone rule is text of the template.
    if (lines.slice(0, start).some((line) => line.trim() !== "")) return { frontMatter: null, template: source, line: 1, column: 1 };
    return { problem: { file, line: start + 1, column: 1, message: "The front matter has no end: a line --- is missing" } };
  }
  const body = lines.slice(end + 1).join("\n");
  const before = body.slice(0, body.length - body.trimStart().length);
  return {
    frontMatter: { text: lines.slice(start + 1, end).join("\n"), line: start + 2 },
    template: body.trim(),
    line: end + 2 + before.split("\n").length - 1,
    column: before.length - (before.lastIndexOf("\n") + 1) + 1,
  };
}
