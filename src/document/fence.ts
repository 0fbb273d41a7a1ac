import type { TextBlock } from "./schema.ts";

/** A code block in a fence that nothing in it can close. Its parts are its lines, unless others are given. */
export function fencedBlock(code: string, language = "", parts: readonly string[] = code.split("\n")): TextBlock {
  const longest = Math.max(2, ...(code.match(/^[ \t]*`{3,}/gm) ?? []).map((marks) => marks.trim().length));
  const fence = "`".repeat(longest + 1);
  const head = `${fence}${language}\n`;
  const tail = `\n${fence}`;
  return { kind: "code", text: `${head}${code}${tail}`, parts, head, tail };
}
