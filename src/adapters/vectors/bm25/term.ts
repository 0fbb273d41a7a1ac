import type { VectorRow } from "../../../ports/vectors.ts";
import { contentOf } from "../lance/convert.ts";
import { type Analyzer, analyzerFor, analyzers, withoutStopWords } from "../lance/language.ts";
import { folded, wordsOf } from "./word.ts";

/** Words of a question beyond this are of no use to a search and cost time. */
const maxQuestionLength = 4096;
/** Stems that are remembered for each language. */
const maxKnown = 200_000;

/** What a chunk says, as BM25 counts it. */
export interface ChunkTerms {
  /** Languages keep apart: the same letters are another term in another field. It is LanceDB's column for the text. */
  readonly field: string;
  /** How many words stand in it, stop words aside. */
  readonly length: number;
  /** How often it says each term. */
  readonly counts: ReadonlyMap<string, number>;
}

/** What a question looks for in one field. */
export interface QuestionTerms {
  readonly field: string;
  /** How often the question says each term: a term that it says twice counts twice. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Cuts texts into the terms that the embedded engine takes for the same texts, so that every store finds the same. */
export interface Terms {
  ofChunk(row: Pick<VectorRow, "headings" | "text" | "language">): ChunkTerms;
  /** The terms to look for in each of the fields that an index has. */
  ofQuestion(question: string, fields: readonly string[]): readonly QuestionTerms[];
}

/** Loads the stemmers, which are those of Snowball, as the engine's are. */
export async function openTerms(): Promise<Terms> {
  const { createStemmer } = await import("multilingual-stemmer");

  function termFinder({ column, stems, stopWords }: Analyzer): (word: string) => string | undefined {
    const stem = stems === null ? (word: string) => word : createStemmer(column.slice("content_".length) as Parameters<typeof createStemmer>[0]);
    const dropped = new Set(stopWords);
    const known = new Map<string, string | undefined>();
    return (word) => {
      if (known.has(word)) return known.get(word);
      // Stop words are looked for among the stems, with their accents: the engine goes in this order.
      const stemmed = stem(word);
      const term = dropped.has(stemmed) ? undefined : folded(stemmed);
      if (known.size >= maxKnown) known.clear();
      known.set(word, term);
      return term;
    };
  }

  const finders = new Map(analyzers.map((analyzer) => [analyzer.column, termFinder(analyzer)]));
  const termsOf = (text: string, field: string): readonly string[] => wordsOf(text).flatMap((word) => finders.get(field)?.(word) ?? []);

  return {
    ofChunk(row) {
      const { column: field } = analyzerFor(row.language);
      const terms = termsOf(contentOf(row).toWellFormed(), field);
      return { field, length: terms.length, counts: countEach(terms) };
    },
    ofQuestion(question, fields) {
      const words = withoutStopWords(question.slice(0, maxQuestionLength).toWellFormed(), fields);
      return fields.map((field) => ({ field, counts: countEach(termsOf(words, field)) }));
    },
  };
}

function countEach(terms: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}
