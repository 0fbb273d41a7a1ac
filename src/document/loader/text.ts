import { type Block, type LoadedDocument, proseBlock } from "../schema.ts";

/** Paragraphs, told by the empty lines between them. */
export function loadText(text: string): LoadedDocument {
  return { blocks: textBlocks(text), metadata: {} };
}

export function textBlocks(source: string): readonly Block[] {
  return source.split(/\n[ \t]*\n/).filter((paragraph) => paragraph.trim() !== "").map((paragraph) => proseBlock(paragraph.replace(/^\n+/, "").trimEnd()));
}
