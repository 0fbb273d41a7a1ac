import { type FailureCode, TwelveError } from "../core/errors.ts";
import type { Embedder } from "../ports/embedding.ts";
import type { Reranker } from "../ports/rerank.ts";

/** They say something of the question, and nothing of the service. */
const ofQuestion: ReadonlySet<FailureCode> = new Set<FailureCode>(["SERVICE_REJECTED", "SERVICE_FILTERED"]);

export interface FailureCounter {
  /** The same, and its failures are counted under the name. */
  embedder(name: string, embedder: Embedder): Embedder;
  reranker(name: string, reranker: Reranker): Reranker;
  /** How many were counted under the name. */
  of(name: string): number;
}

/** Counts how often services fail what they are really asked. */
export function countFailures(): FailureCounter {
  const counts = new Map<string, number>();
  const counting = <Result>(name: string, call: Promise<Result>): Promise<Result> => call.catch((error: unknown) => {
    if (error instanceof TwelveError && !ofQuestion.has(error.code)) counts.set(name, (counts.get(name) ?? 0) + 1);
    throw error;
  });
  return {
    embedder: (name, embedder) => ({ ...embedder, embed: (texts, task, signal) => counting(name, embedder.embed(texts, task, signal)) }),
    reranker: (name, reranker) => ({ ...reranker, rerank: (query, texts, signal) => counting(name, reranker.rerank(query, texts, signal)) }),
    of: (name) => counts.get(name) ?? 0,
  };
}
