import type { Block } from "./schema.ts";

/** A document that names itself but has no first-level heading begins with its name: every chunk then says where it is from. */
export function withTitle(blocks: readonly Block[], title: unknown): readonly Block[] {
  const text = typeof title === "string" || typeof title === "number" ? String(title).replaceAll(/\s+/g, " ").trim() : "";
  if (text === "" || blocks.some((block) => block.kind === "heading" && block.depth === 1)) return blocks;
  return [{ kind: "heading", depth: 1, text }, ...blocks];
}

/** Headings one level down, below the title of the whole. */
export function lowerHeadings(blocks: readonly Block[]): readonly Block[] {
  return blocks.map((block) => (block.kind === "heading" ? { ...block, depth: Math.min(6, block.depth + 1) } : block));
}

/** What programs put there when nobody has given a title. */
const placeholder = /^(?:powerpoint[- ]pr[äe]sentation|powerpoint presentation|présentation powerpoint|pptx?|document\d*|book\d*|sheet\d*|untitled.*|microsoft (?:word|powerpoint|excel) - .*|.*\.(?:docx?|pptx?|xlsx?|indd|tex|dvi)|\(?(?:anonymous|unspecified)\)?)$/i;

export function isTitle(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text) && !placeholder.test(text.trim());
}
