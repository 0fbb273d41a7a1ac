import type { Metadata } from "../ports/document.ts";

/** What a loader makes of one file. */
export interface LoadedDocument {
  readonly blocks: readonly Block[];
  /** What the file says about itself: front matter, document properties. */
  readonly metadata: Metadata;
}

/** Why a file gives no document, to be read after its path: `is empty`, `has no text layer`. */
export interface Unreadable {
  readonly reason: string;
}

/** A heading, or one block of text that belongs together. What loaders make of a file and the chunker reads. */
export type Block =
  | { readonly kind: "heading"; readonly depth: number; readonly text: string; readonly page?: number }
  | {
      /** `prose` may be cut between sentences and may overlap; the others are cut only between their parts. */
      readonly kind: "prose" | "list" | "table" | "code";
      readonly text: string;
      /** Items of a list, rows of a table, lines of code. */
      readonly parts: readonly string[];
      /** What every piece of a cut table or code block begins and ends with. */
      readonly head?: string;
      readonly tail?: string;
      /** The page or slide it begins on, from 1, where the format has such. */
      readonly page?: number;
    };

export type TextBlock = Exclude<Block, { readonly kind: "heading" }>;

export function proseBlock(text: string): TextBlock {
  return { kind: "prose", text, parts: [] };
}
