import { fusionConstant } from "./fuse.ts";
import type { ListPlan, SearchPlan } from "./plan.ts";
import type { RetrievedChunk, Scores } from "./schema.ts";

const measures = { text: "BM25", vector: "cosine" } as const;

/** How a chunk came to its place, a line for each stage that saw it. */
export function explainChunk({ scores }: Pick<RetrievedChunk, "scores">, { lists, isFused }: Pick<SearchPlan, "lists" | "isFused">): readonly string[] {
  return [
    ...lists.map((list) => explainList(list, scores, isFused)),
    ...(scores.fused === undefined ? [] : [`fused   ${scores.fused.toFixed(5)}`]),
    ...(scores.rerank === undefined ? [] : [`rerank  place ${scores.rerank.rank}, score ${formatScore(scores.rerank.score)}`]),
  ];
}

function explainList({ mode, weight }: ListPlan, scores: Scores, isFused: boolean): string {
  const found = scores[mode];
  const label = mode.padEnd(6);
  if (found === undefined) return `${label}  not in the list`;
  const share = `${weight} / (${fusionConstant} + ${found.rank}) = ${(weight / (fusionConstant + found.rank)).toFixed(5)}`;
  return `${label}  place ${found.rank}, ${measures[mode]} ${formatScore(found.score)}${isFused ? `; gives ${share}` : ""}`;
}

/** Enough digits to tell neighbours apart, whether scores are cosines, BM25 or fused ranks. */
export function formatScore(score: number): string {
  return Math.abs(score) >= 10 ? score.toFixed(2) : score.toFixed(4);
}
