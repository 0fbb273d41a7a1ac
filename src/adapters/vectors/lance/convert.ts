import type { VectorHit, VectorRow } from "../../../ports/vectors.ts";

/** A row as the table holds it. `content` is headings and text together, which is what full-text search looks at. */
export type StoredRow = {
  readonly id: string;
  readonly document: string;
  readonly headings: string;
  readonly content: string;
  readonly metadata: string;
  readonly vector: Float32Array;
};

const gap = "\n\n";

export function toStoredRow({ id, document, headings, text, metadata, vector }: VectorRow): StoredRow {
  return { id, document, headings, content: `${headings}${gap}${text}`, metadata: JSON.stringify(metadata), vector };
}

export type FoundRow = Omit<StoredRow, "vector"> & { readonly _distance?: number; readonly _score?: number };

/** The engine gives a cosine distance or a BM25 score; both become scores that grow with relevance. */
export function toHits(rows: readonly FoundRow[]): readonly VectorHit[] {
  const hits = rows.map(({ id, document, headings, content, metadata, _distance, _score }) => {
    const score = _distance === undefined ? (_score ?? 0) : 1 - _distance;
    return { id, document, headings, text: content.slice(headings.length + gap.length), metadata: JSON.parse(metadata) as VectorHit["metadata"], score };
  });
  // A vector of zeros has no direction, so its distance to anything is not a number.
  return ordered(hits.filter(({ score }) => Number.isFinite(score)));
}

/** Best first; equal scores by ID, because the engine promises no order for them. */
export function ordered(hits: readonly VectorHit[]): readonly VectorHit[] {
  return hits.toSorted((left, right) => right.score - left.score || (left.id < right.id ? -1 : 1));
}
