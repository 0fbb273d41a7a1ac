import type { ChunkTerms } from "./term.ts";

const k1 = 1.2;
const b = 0.75;
const maxBoost = 1.5;

export interface FieldStatistics {
  readonly chunks: number;
  /** Words of all of them together. */
  readonly words: number;
  /** How many chunks say each term. */
  readonly frequencies: ReadonlyMap<string, number>;
}

/** What BM25 must know of all chunks, by field in the order of their names. */
export type Statistics = ReadonlyMap<string, FieldStatistics>;

/** Counts chunks one by one. Nothing can be weighed until the last of them is counted. */
export function countChunks(): { add(chunk: ChunkTerms): void; statistics(): Statistics } {
  const fields = new Map<string, { chunks: number; words: number; frequencies: Map<string, number> }>();
  return {
    add({ field, length, counts }) {
      const counted = fields.get(field) ?? { chunks: 0, words: 0, frequencies: new Map<string, number>() };
      fields.set(field, counted);
      counted.chunks += 1;
      counted.words += length;
      for (const term of counts.keys()) counted.frequencies.set(term, (counted.frequencies.get(term) ?? 0) + 1);
    },
    statistics: () => new Map([...fields].sort(([left], [right]) => (left < right ? -1 : 1))),
  };
}

/**
 * The weight of each of a chunk's terms. Everything that BM25 multiplies is in it, so a chunk's score is the product
 * of two sparse vectors: these weights, and how often the question says each term.
 */
export function weighTerms({ field, length, counts }: ChunkTerms, statistics: Statistics): ReadonlyMap<string, number> {
  const counted = statistics.get(field);
  if (counted === undefined) throw new TypeError(`No chunk of ${field} was counted`);
  const { chunks, words, frequencies } = counted;
  const boost = boostOf(chunks, statistics);
  const norm = k1 * (1 - b + (b * length) / (words / chunks));
  return new Map([...counts].map(([term, count]) => [term, boost * rarity(frequencies.get(term) ?? 1, chunks) * (((k1 + 1) * count) / (count + norm))]));
}

function rarity(frequency: number, chunks: number): number {
  return Math.log(1 + (chunks - frequency + 0.5) / (frequency + 0.5));
}

/** As the embedded engine's search has it, which says why: a word of a single chunk weighs what it would among all chunks, up to a limit. */
function boostOf(chunks: number, statistics: Statistics): number {
  const all = [...statistics.values()].reduce((sum, counted) => sum + counted.chunks, 0);
  return Math.min(maxBoost, rarity(1, all) / rarity(1, chunks));
}
