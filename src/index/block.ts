/** A heading, or one block of text that belongs together. What loaders make of a file and the chunker reads. */
export type Block =
  | { readonly kind: "heading"; readonly depth: number; readonly text: string }
  | {
      /** `prose` may be cut between sentences and may overlap; the others are cut only between their parts. */
      readonly kind: "prose" | "list" | "table" | "code";
      readonly text: string;
      /** Items of a list, rows of a table, lines of code. */
      readonly parts: readonly string[];
      /** What every piece of a cut table or code block begins and ends with. */
      readonly head?: string;
      readonly tail?: string;
    };

export type TextBlock = Exclude<Block, { readonly kind: "heading" }>;

export function proseBlock(text: string): TextBlock {
  return { kind: "prose", text, parts: [] };
}
