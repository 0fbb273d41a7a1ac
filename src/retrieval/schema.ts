import { z } from "zod";
import type { AgentSettings } from "../manifest/schema.ts";
import { Metadata } from "../ports/document.ts";
import type { VectorHit } from "../ports/vectors.ts";

export const SearchMode = z.enum(["vector", "text", "hybrid"]);
export type SearchMode = z.infer<typeof SearchMode>;

/** How an agent retrieves, without the name of the index. */
export type RetrieveSettings = Omit<NonNullable<AgentSettings["retrieve"]>, "index">;

const Ranked = z.strictObject({
  rank: z.int().positive().meta({ description: "Place in this stage's list, from 1" }),
  score: z.number(),
});
export type Ranked = z.infer<typeof Ranked>;

/** What each stage that saw a chunk made of it. The chunk's `score` is that of the last stage. */
export const Scores = z.strictObject({
  vector: Ranked.optional().meta({ description: "Cosine of the question's vector and the chunk's" }),
  text: Ranked.optional().meta({ description: "BM25 of the question's words" }),
  fused: z.number().optional().meta({ description: "Sum of weight / (60 + rank) over the lists that hold the chunk" }),
  rerank: Ranked.optional().meta({ description: "What the reranker gave; its scores compare only with its own" }),
});
export type Scores = z.infer<typeof Scores>;

export interface RetrievedChunk extends VectorHit {
  /** The number that a citation such as [1] names, from 1. */
  readonly number: number;
  readonly scores: Scores;
}

/** A retrieved chunk as it is told to whoever searched. */
export const Hit = z.strictObject({
  number: z.int().positive(),
  id: z.string(),
  document: z.string(),
  headings: z.string(),
  text: z.string(),
  metadata: Metadata,
  score: z.number().meta({ description: "Of the last stage" }),
  scores: Scores,
});
export type Hit = z.infer<typeof Hit>;
