import type { VectorHit, VectorRow } from "../../../ports/vectors.ts";
import { valueIn } from "./filter.ts";
import { analyzerFor, analyzers } from "./language.ts";

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
export function toHits(rows: readonly FoundRow[], fields: readonly string[]): readonly VectorHit[] {
  const hits = rows.map((row) => {
    const { id, document, headings, metadata, _distance, _score } = row;
    const score = _distance === undefined ? (_score ?? 0) : 1 - _distance;
    return { id, document, headings, text: textOf(row, fields), metadata: JSON.parse(metadata) as VectorHit["metadata"], score };
  });
  // A vector of zeros has no direction, so its distance to anything is not a number.
  return hits.filter(({ score }) => Number.isFinite(score));
}

/** A row with everything that was written of it. */
export interface StoredRow extends FoundRow {
  readonly labels: Iterable<string>;
  readonly field: string;
  readonly vector: Iterable<number>;
}

/** The rows as they were written. A language that has no column of its own is read off the labels. */
export function toRows(rows: readonly StoredRow[], fields: readonly string[]): readonly VectorRow[] {
  return rows.map((row) => {
    const { id, document, headings, metadata, vector } = row;
    return { id, document, headings, text: textOf(row, fields), language: languageOf(row), metadata: JSON.parse(metadata) as VectorRow["metadata"], vector: Float32Array.from(vector) };
  });
}

/** Metadata may give the key `language` another meaning, so the column decides, and the label only what it says more exactly. */
function languageOf({ labels, field }: StoredRow): string | null {
  const said = [...labels].map((label) => valueIn(label, "language")).find((value) => value !== undefined) ?? null;
  if (analyzerFor(said).column === field) return said;
  return field === analyzers.at(-1)?.column ? "und" : field.slice("content_".length);
}

/** Only the columns that were asked for are looked at: each look at one of a row makes a new object. */
function textOf(row: FoundRow, fields: readonly string[]): string {
  const content = fields.map((field) => row[field]).find((value) => typeof value === "string");
  if (typeof content !== "string" || content === row.headings) return row.headings;
  return content.slice(row.headings.length + gap.length);
}
