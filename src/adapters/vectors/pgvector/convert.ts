import type { VectorHit, VectorRow } from "../../../ports/vectors.ts";
import { hitOf, readContent } from "../content.ts";
import { escapedLabels } from "../labels.ts";

export interface FoundChunk {
  readonly id: string;
  readonly content: string;
  readonly score: number;
}

/** A vector of zeros has no direction, so its cosine with anything is not a number. */
export function toHits(found: readonly FoundChunk[]): readonly VectorHit[] {
  return found.filter(({ score }) => Number.isFinite(score)).map(({ id, content, score }) => hitOf(id, content, score));
}

export interface StoredChunk {
  readonly id: string;
  readonly content: string;
  readonly vector: string;
}

export function toRow({ id, content, vector }: StoredChunk): VectorRow {
  return { id, ...readContent(content), vector: Float32Array.from(JSON.parse(vector) as number[]) };
}

export function vectorText(vector: Float32Array): string {
  return `[${vector.join(",")}]`;
}

/** Labels in one text, a line each. */
export function labelLines(row: VectorRow): string {
  return escapedLabels(row).join("\n");
}
