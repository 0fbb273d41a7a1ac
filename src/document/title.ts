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
