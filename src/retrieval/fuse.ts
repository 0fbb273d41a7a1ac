import { bestFirst } from "../core/compare.ts";
import type { VectorHit } from "../ports/vectors.ts";
import type { ListPlan } from "./plan.ts";
import type { Scores } from "./schema.ts";

/** The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): how little the first ranks stand out. */
export const fusionConstant = 60;

export interface RankedList extends ListPlan {
  /** Best first. */
  readonly hits: readonly VectorHit[];
}

export interface ScoredHit extends VectorHit {
  readonly scores: Scores;
}

/** The hits of a single list, with their places in it. */
export function rankHits({ mode, hits }: RankedList): readonly ScoredHit[] {
  return hits.map((hit, position) => ({ ...hit, scores: { [mode]: { rank: position + 1, score: hit.score } } }));
}

/** Merges lists by weighted reciprocal rank fusion: only ranks count, because cosine and BM25 have no common scale. Ties go by ID. */
export function fuse(lists: readonly RankedList[]): readonly ScoredHit[] {
  const fused = new Map<string, ScoredHit>();
  for (const list of lists) {
    for (const [position, hit] of rankHits(list).entries()) {
      const before = fused.get(hit.id);
      const score = (before?.score ?? 0) + list.weight / (fusionConstant + position + 1);
      fused.set(hit.id, { ...hit, score, scores: { ...before?.scores, ...hit.scores, fused: score } });
    }
  }
  return [...fused.values()].sort(bestFirst);
}
