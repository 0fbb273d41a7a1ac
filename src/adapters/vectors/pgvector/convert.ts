import type { Metadata } from "../../../ports/document.ts";
import type { VectorFilter, VectorHit, VectorRow } from "../../../ports/vectors.ts";
import { labelsOf } from "../lance/filter.ts";

/** What is kept of a chunk beside its ID and vector. Written as JSON, which has a way to write the characters that Postgres refuses. */
export function contentOf({ document, headings, text, language, metadata }: VectorRow): string {
  return JSON.stringify([document, headings, text, language, metadata]);
}

interface Content {
  readonly document: string;
  readonly headings: string;
  readonly text: string;
  readonly language: string | null;
  readonly metadata: Metadata;
}

function readContent(content: string): Content {
  const [document, headings, text, language, metadata] = JSON.parse(content) as [string, string, string, string | null, Metadata];
  return { document, headings, text, language, metadata };
}

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
  return Object.entries(filter ?? {}).map(([key, values]) => values.map((value) => escaped(labelFor(key, value))));
}

function labelFor(key: string, value: string): string {
  const document = key === "document" ? value : "";
  return labelsOf({ document, language: null, metadata: { [key]: value } })[0] ?? "";
}

function escaped(label: string): string {
  return JSON.stringify(label).slice(1, -1);
}
