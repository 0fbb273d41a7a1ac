import type { Passage } from "../../../ports/model.ts";
import { sentencesOf } from "./sentences.ts";
import { isPair, termsOf } from "./terms.ts";

export const noAnswer = "The documents do not answer this question.";

const mostSentences = 3;
/** A further sentence must be about as good as the best one. */
const shareOfBest = 0.7;
/** The best sentence must hold this share of what the question asks for, weighed by how rare its words are. */
const leastCoverage = 0.4;
/** What asks for an amount is answered by a sentence that has one, where two match about equally. */
const amountAsked = /\bhow (?:long|many|much|often|old|far|fast|large|big|high|soon)\b/i;
const amountBonus = 1.5;

interface Candidate {
  readonly text: string;
  readonly passage: number;
  readonly position: number;
  readonly terms: ReadonlySet<string>;
  readonly hasNumber: boolean;
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
  const bonus = amountAsked.test(question) ? amountBonus : 1;
  const scored = candidates.map((candidate) => scoreOf(candidate, weights, bonus));
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
      if (!seen.has(sentence)) seen.set(sentence, { text: sentence, passage: number, position: seen.size, terms: new Set(termsOf(sentence)), hasNumber: /\p{N}/u.test(sentence) });
    }
  }
  return [...seen.values()];
}

/** Pairs of characters that no sentence holds are mostly the borders between two words, so they count for little. */
const shareOfUnknownPair = 0.25;

/**
 * A word of the question weighs more the fewer sentences hold it. One that no sentence holds tells nothing about them,
 * so it weighs as much as the others do on average: it only makes the question harder to cover.
 */
function weigh(asked: readonly string[], candidates: readonly Candidate[]): ReadonlyMap<string, number> {
  const holders = asked.map((term) => candidates.filter(({ terms }) => terms.has(term)).length);
  const known = holders.filter((count) => count > 0).map((count) => Math.log(1 + candidates.length / count));
  const average = known.length === 0 ? 1 : sum(known) / known.length;
  return new Map(
    asked.map((term, index) => {
      const count = holders[index] ?? 0;
      if (count > 0) return [term, Math.log(1 + candidates.length / count)];
      return [term, isPair(term) ? average * shareOfUnknownPair : average];
    }),
  );
}

interface Scored {
  readonly candidate: Candidate;
  /** Weight of the question's words that it holds. */
  readonly matched: number;
  readonly score: number;
}

function scoreOf(candidate: Candidate, weights: ReadonlyMap<string, number>, numberBonus: number): Scored {
  const { terms, passage, hasNumber } = candidate;
  const matched = sum([...weights].map(([term, weight]) => (terms.has(term) ? weight : 0)));
  // Long sentences match by chance; between equals the passage that retrieval put first wins.
  return { candidate, matched, score: (matched * (hasNumber ? numberBonus : 1)) / (1 + terms.size / 60) / (1 + passage / 50) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
