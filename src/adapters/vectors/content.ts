import type { VectorHit, VectorRow } from "../../ports/vectors.ts";

export type Content = Omit<VectorRow, "id" | "vector">;

/** What is kept of a chunk beside its ID and vector. Written as JSON, which has a way to write the characters that stores refuse. */
export function contentOf({ document, headings, text, language, metadata }: VectorRow): string {
  return JSON.stringify([document, headings, text, language, metadata]);
}

export function readContent(content: string): Content {
  const [document, headings, text, language, metadata] = JSON.parse(content) as [string, string, string, string | null, Content["metadata"]];
  return { document, headings, text, language, metadata };
}

/** What a search gives of a chunk. */
export function hitOf(id: string, content: string, score: number): VectorHit {
  const { language: _, ...rest } = readContent(content);
  return { id, ...rest, score };
}
