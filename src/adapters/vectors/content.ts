import type { Metadata } from "../../ports/document.ts";
import type { VectorRow } from "../../ports/vectors.ts";

/** What a server keeps of a chunk beside its ID and vector. */
export interface Content {
  readonly document: string;
  readonly headings: string;
  readonly text: string;
  readonly language: string | null;
  readonly metadata: Metadata;
}

/** Written as JSON, which has a way to write the characters that servers refuse. */
export function contentOf({ document, headings, text, language, metadata }: VectorRow): string {
  return JSON.stringify([document, headings, text, language, metadata]);
}

export function readContent(content: string): Content {
  const [document, headings, text, language, metadata] = JSON.parse(content) as [string, string, string, string | null, Metadata];
  return { document, headings, text, language, metadata };
}
