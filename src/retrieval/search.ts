import { TwelveError } from "../core/errors.ts";
import { onceMore } from "../core/patience.ts";
import type { Embedder } from "../ports/embedding.ts";
import type { Reranker } from "../ports/rerank.ts";
import type { VectorIndex } from "../ports/vectors.ts";
import { fuse, rankHits, type ScoredHit } from "./fuse.ts";
import type { SearchPlan } from "./plan.ts";
import type { RetrievedChunk } from "./schema.ts";

export interface SearchParts {
  readonly vectors: VectorIndex;
  readonly embedder: Embedder;
  readonly reranker: Reranker | undefined;
}

/** A whole page pasted as a question: what comes after so many characters changes no ranking. A model that takes less is given less by its adapter. */
const maxQuestionLength = 8000;

/** Carries a search out: ranks, merges, orders anew, and keeps the best. A question without anything in it finds nothing. */
export async function searchChunks(question: string, plan: SearchPlan, { vectors, embedder, reranker }: SearchParts, signal?: AbortSignal): Promise<readonly RetrievedChunk[]> {
  const text = question.trim().slice(0, maxQuestionLength).toWellFormed();
  if (text === "") return [];
  const [vector] = plan.lists.some(({ mode }) => mode === "vector") ? await onceMore(() => embedder.embed([text], "query", signal), { signal }) : [];
  const query = { text, topK: plan.depth, filter: plan.filter, ...(vector === undefined ? {} : { vector }) };
  const lists = await Promise.all(plan.lists.map(async (list) => ({ ...list, hits: await onceMore(() => vectors.search({ ...query, mode: list.mode }), { signal }) })));
  const ranked = plan.isFused ? fuse(lists) : lists.flatMap(rankHits);
  const candidates = ranked.slice(0, plan.candidates);
  const ordered = reranker === undefined ? candidates : await rerank(text, candidates, reranker, signal);
  const kept = ordered.filter(({ score }) => score >= plan.minScore).slice(0, plan.topK);
  return kept.map((hit, position) => ({ number: position + 1, ...hit }));
}

/** Hits with equal scores keep the order they had. */
async function rerank(question: string, hits: readonly ScoredHit[], reranker: Reranker, signal?: AbortSignal): Promise<readonly ScoredHit[]> {
  if (hits.length === 0) return hits;
  const texts = hits.map(({ headings, text }) => (headings === "" ? text : `${headings}\n\n${text}`));
  const scores = await onceMore(() => reranker.rerank(question, texts, signal), { signal });
  if (scores.length !== hits.length || !scores.every(Number.isFinite)) {
    throw new TwelveError("SERVICE_FAILED", `${reranker.name} was asked for ${hits.length} finite scores and gave ${scores.filter(Number.isFinite).length}`);
  }
  const scored = hits.map((hit, position) => ({ hit, score: scores[position] ?? 0 }));
  const ordered = scored.toSorted((left, right) => right.score - left.score);
  return ordered.map(({ hit, score }, position) => ({ ...hit, score, scores: { ...hit.scores, rerank: { rank: position + 1, score } } }));
}
