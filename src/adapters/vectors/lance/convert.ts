import type { VectorHit } from "../../../ports/vectors.ts";
import { analyzers } from "./language.ts";

const gap = "\n\n";

/** What full-text search looks at: headings and text together. A heading without a text under it is its own text, and counts once. */
export function contentOf({ headings, text }: { readonly headings: string; readonly text: string }): string {
  return text === headings ? text : `${headings}${gap}${text}`;
}

/** A row as a query gives it. The content stands in the column of its language. */
export interface FoundRow {
  readonly [column: string]: unknown;
  readonly id: string;
  readonly document: string;
  readonly headings: string;
  readonly metadata: string;
  readonly _distance?: number;
  readonly _score?: number;
}

/** The engine gives a cosine distance or a BM25 score; both become scores that grow with relevance. */
export function toHits(rows: readonly FoundRow[]): readonly VectorHit[] {
  const hits = rows.map((row) => {
    const { id, document, headings, metadata, _distance, _score } = row;
    const score = _distance === undefined ? (_score ?? 0) : 1 - _distance;
    return { id, document, headings, text: textOf(row), metadata: JSON.parse(metadata) as VectorHit["metadata"], score };
  });
  // A vector of zeros has no direction, so its distance to anything is not a number.
  return hits.filter(({ score }) => Number.isFinite(score));
}

/** Best first; equal scores by ID, because the engine promises no order for them. */
export function ordered(hits: readonly VectorHit[]): readonly VectorHit[] {
  return hits.toSorted((left, right) => right.score - left.score || (left.id < right.id ? -1 : 1));
}

function textOf(row: FoundRow): string {
  const content = analyzers.map(({ column }) => row[column]).find((value) => typeof value === "string");
  if (typeof content !== "string" || content === row.headings) return row.headings;
  return content.slice(row.headings.length + gap.length);
}
