import type { VectorFilter, VectorHit, VectorRow } from "../../../ports/vectors.ts";
import { readContent } from "../content.ts";
import { labelOf, labelsOf } from "../lance/filter.ts";

export interface FoundChunk {
  readonly id: string;
  readonly content: string;
  readonly score: number;
}

/** A vector of zeros has no direction, so its cosine with anything is not a number. */
export function toHits(found: readonly FoundChunk[]): readonly VectorHit[] {
  return found.filter(({ score }) => Number.isFinite(score)).map(({ id, content, score }) => {
    const { language: _, ...rest } = readContent(content);
    return { id, ...rest, score };
  });
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

/** Labels in one text, a line each: what would break a line is escaped. */
export function labelLines(row: VectorRow): string {
  return labelsOf(row).map(escaped).join("\n");
}

/** For each key of a filter, the labels of which a chunk must have one. */
export function labelSets(filter: VectorFilter | undefined): readonly (readonly string[])[] {
  return Object.entries(filter ?? {}).map(([key, values]) => values.map((value) => escaped(labelOf(key, value))));
}

function escaped(label: string): string {
  return JSON.stringify(label).slice(1, -1);
}
