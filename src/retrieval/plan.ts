import { TwelveError } from "../core/errors.ts";
import type { VectorFilter } from "../ports/vectors.ts";
import type { RetrieveSettings } from "./schema.ts";

/** One ranking of the index, and what it counts beside the other one. */
export interface ListPlan {
  readonly mode: "vector" | "text";
  readonly weight: number;
}

export interface SearchPlan {
  readonly lists: readonly ListPlan[];
  /** Whether the lists are merged by rank; otherwise the only list's own scores hold. */
  readonly isFused: boolean;
  /** Length of each list. */
  readonly depth: number;
  /** How many chunks the reranker sees; `topK` where there is none. */
  readonly candidates: number;
  readonly topK: number;
  readonly minScore: number;
  readonly filter: VectorFilter;
}

/** What a search takes. `fusionWeight` is the embedder's own opinion of its ranking. Fails with CONFIG_INVALID when every list weighs nothing. */
export function planSearch(settings: RetrieveSettings, fusionWeight: number): SearchPlan {
  const { mode, topK, reranker, vectorWeight = fusionWeight, textWeight = 1, minScore = Number.NEGATIVE_INFINITY } = settings;
  const candidates = reranker === undefined ? topK : Math.max(topK, settings.candidates ?? Math.max(25, topK * 5));
  const shared = { candidates, topK, minScore, filter: filterOf(settings.filter ?? {}) };
  if (mode !== "hybrid") return { ...shared, lists: [{ mode, weight: 1 }], isFused: false, depth: candidates };
  const both: readonly ListPlan[] = [{ mode: "text", weight: textWeight }, { mode: "vector", weight: vectorWeight }];
  const lists = both.filter(({ weight }) => weight > 0);
  if (lists.length === 0) {
    throw new TwelveError("CONFIG_INVALID", "A hybrid search in which vectorWeight and textWeight are both 0 ranks nothing", { fix: "Give one of them a weight above 0, or set `mode: text` or `mode: vector`" });
  }
  // Deeper than what goes on, so that a chunk which is good in both lists can overtake one that is best in a single list.
  return { ...shared, lists, isFused: true, depth: Math.max(50, topK * 4, candidates) };
}

/** Values are compared as text: a manifest may write `year: 2024` where a document's front matter has it as a number or as a word. */
function filterOf(filter: NonNullable<RetrieveSettings["filter"]>): VectorFilter {
  return Object.fromEntries(Object.entries(filter).map(([key, value]) => [key, [value].flat().map(String)]));
}
