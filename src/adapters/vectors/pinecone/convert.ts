import { hash } from "node:crypto";
import { TwelveError } from "../../../core/errors.ts";
import type { VectorFilter, VectorRow } from "../../../ports/vectors.ts";
import { contentOf, readContent } from "../content.ts";
import { escapedLabels, labelSets } from "../labels.ts";
import type { Stored } from "./schema.ts";

/** https://docs.pinecone.io/reference/api/database-limits/operation-limits */
const mostMetadataBytes = 40 * 1024;
const mostTerms = 2048;
/** Numbers of terms that are remembered. */
const maxKnown = 200_000;

/** The fields that searches filter by. */
export const filterable = ["labels", "hasDirection"] as const;

/** What stands beside the vector of a chunk, as JSON. Fails with SERVICE_REJECTED where Pinecone has no room for it. */
export function metadataOf(row: VectorRow): string {
  const json = JSON.stringify({ content: contentOf(row), labels: escapedLabels(row), hasDirection: hasDirection(row.vector) });
  const sizeBytes = Buffer.byteLength(json);
  if (sizeBytes <= mostMetadataBytes) return json;
  throw new TwelveError("SERVICE_REJECTED", `Chunk ${row.id} of ${row.document} takes ${sizeBytes} bytes with its headings and metadata, and Pinecone keeps at most ${mostMetadataBytes} beside a vector`, {
    fix: "Make the chunks smaller with `chunk: { maxTokens }` in twelve.yaml, or the document's metadata shorter, then run `twelve index` and publish again",
  });
}

function hasDirection(vector: Float32Array): boolean {
  return vector.some((value) => value !== 0);
}

/** The record of a dense index, as JSON. Zeros at the end change no cosine, so an index takes shorter vectors, too. */
export function vectorRecord({ id, vector }: VectorRow, metadata: string, dimension: number): string {
  // Pinecone takes no vector of zeros. What stands for one is never searched, and read as zeros again.
  const values = numbersOf(hasDirection(vector) ? vector : Float32Array.of(1), dimension);
  return `{"id":${JSON.stringify(id)},"values":${JSON.stringify(values)},"metadata":${metadata}}`;
}

/** A vector as an index of that dimension takes it. Nine digits say all that is in a 32-bit number. */
export function numbersOf(vector: Float32Array, dimension: number): readonly number[] {
  return Array.from({ length: Math.max(vector.length, dimension) }, (_, i) => Number((vector[i] ?? 0).toPrecision(9)));
}

export type Weighed = readonly [place: number, weight: number];

/** What a chunk or a question says, as a sparse vector. */
export interface Sparse {
  readonly indices: readonly number[];
  readonly values: readonly number[];
}

/**
 * A term's place is the first 32 bits of its SHA-256. Where two terms share a place, which happens to a few pairs among
 * hundreds of thousands of terms, a question for the one also finds the other.
 */
export function termPlaces(): (field: string, term: string) => number {
  const known = new Map<string, number>();
  return (field, term) => {
    const key = `${field}:${term}`;
    const place = known.get(key) ?? hash("sha256", key, "buffer").readUInt32BE(0);
    if (known.size >= maxKnown) known.clear();
    known.set(key, place);
    return place;
  };
}

export function sparseOf(weights: Iterable<Weighed>): Sparse {
  const sums = new Map<number, number>();
  for (const [place, weight] of weights) sums.set(place, (sums.get(place) ?? 0) + weight);
  return { indices: [...sums.keys()], values: [...sums.values()].map((weight) => Number(Math.fround(weight).toPrecision(9))) };
}

/** The record of a sparse index, as JSON. Fails with SERVICE_REJECTED for more terms than Pinecone takes. */
export function wordsRecord(id: string, metadata: string, sparseValues: Sparse): string {
  if (sparseValues.indices.length <= mostTerms) return `{"id":${JSON.stringify(id)},"sparseValues":${JSON.stringify(sparseValues)},"metadata":${metadata}}`;
  throw new TwelveError("SERVICE_REJECTED", `Chunk ${id} says ${sparseValues.indices.length} different words, and Pinecone takes at most ${mostTerms} of one chunk`, {
    fix: "Make the chunks smaller with `chunk: { maxTokens }` in twelve.yaml, then run `twelve index` and publish again",
  });
}

/** No question has more terms; of one that has, the first in each language are kept. */
export function firstOf(fields: readonly (readonly Weighed[])[]): readonly Weighed[] {
  const longest = Math.max(0, ...fields.map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => fields.flatMap((weighed) => (weighed[i] === undefined ? [] : [weighed[i]]))).flat().slice(0, mostTerms);
}

type Filter = Readonly<Record<string, unknown>>;

/** Pinecone's filter; undefined where everything passes, null where nothing can. */
export function filterOf(filter: VectorFilter | undefined, onlyWithDirection: boolean): Filter | undefined | null {
  const sets = labelSets(filter);
  if (sets.some((labels) => labels.length === 0)) return null;
  const clauses: readonly Filter[] = [...sets.map((labels) => ({ labels: { $in: labels } })), ...(onlyWithDirection ? [{ hasDirection: { $eq: true } }] : [])];
  return clauses.length > 1 ? { $and: clauses } : clauses[0];
}

export function toRow(id: string, { values, metadata }: Stored, dimensions: number): VectorRow {
  const vector = metadata.hasDirection ? Float32Array.from(values.slice(0, dimensions)) : new Float32Array(dimensions);
  return { id, ...readContent(metadata.content), vector };
}
