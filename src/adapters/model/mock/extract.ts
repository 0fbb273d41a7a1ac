import type { Passage } from "../../../ports/model.ts";
import { sentencesOf } from "./sentences.ts";
import { isPair, termsOf } from "./terms.ts";

export const noAnswer = "The documents do not answer this question.";

const mostSentences = 3;
/** A further sentence must be about as good as the best one. */
const shareOfBest = 0.6;
/** The best sentence must hold this share of what the question asks for, weighed by how rare its words are. */
const leastCoverage = 0.3;

interface Candidate {
  readonly text: string;
  readonly passage: number;
  readonly position: number;
  readonly terms: ReadonlySet<string>;
}

/**
 * Answers a question with the sentences of the passages that match it best, each with the number of its passage, in
 * reading order. Equal input gives equal output.
 */
export function extractAnswer(question: string, passages: readonly Passage[]): string {
  const asked = [...new Set(termsOf(question))];
  const candidates = candidatesOf(passages);
  const weights = weigh(asked, candidates);
  const total = sum(asked.map((term) => weights.get(term) ?? 0));
  const scored = candidates.map((candidate) => scoreOf(candidate, weights));
  const ranked = scored.toSorted((left, right) => right.score - left.score || left.candidate.position - right.candidate.position);
  const [best] = ranked;
  if (best === undefined || total === 0 || best.matched < leastCoverage * total) return noAnswer;
  const chosen = ranked.slice(0, mostSentences).filter(({ score }) => score >= shareOfBest * best.score);
  return chosen
    .toSorted((left, right) => left.candidate.position - right.candidate.position)
    .map(({ candidate }) => `${candidate.text} [${candidate.passage}]`)
    .join(" ");
}

/** Neighbouring chunks overlap; a sentence counts where it stands first. */
function candidatesOf(passages: readonly Passage[]): readonly Candidate[] {
  const seen = new Map<string, Candidate>();
  for (const { number, text } of passages) {
    for (const sentence of sentencesOf(text)) {
      if (!seen.has(sentence)) seen.set(sentence, { text: sentence, passage: number, position: seen.size, terms: new Set(termsOf(sentence)) });
    }
  }
  return [...seen.values()];
}

/** Pairs of characters that no sentence holds are mostly the borders between two words, so they count for little. */
const shareOfUnknownPair = 0.25;

/** A word of the question weighs more the fewer sentences hold it; one that no sentence holds weighs most. */
function weigh(asked: readonly string[], candidates: readonly Candidate[]): ReadonlyMap<string, number> {
  return new Map(
    asked.map((term) => {
      const holders = candidates.filter(({ terms }) => terms.has(term)).length;
      const weight = Math.log(1 + (candidates.length - holders + 0.5) / (holders + 0.5));
      return [term, holders === 0 && isPair(term) ? weight * shareOfUnknownPair : weight];
    }),
  );
}

interface Scored {
  readonly candidate: Candidate;
  /** Weight of the question's words that it holds. */
  readonly matched: number;
  readonly score: number;
}

function scoreOf(candidate: Candidate, weights: ReadonlyMap<string, number>): Scored {
  const { terms, passage } = candidate;
  const matched = sum([...weights].map(([term, weight]) => (terms.has(term) ? weight : 0)));
  // Long sentences match by chance; between equals the passage that retrieval put first wins.
  return { candidate, matched, score: matched / (1 + terms.size / 60) / (1 + passage / 50) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
