import type { Checkable } from "./check.ts";

/** One reranking model behind one URL, such as `tei+http://127.0.0.1:8080`. */
export interface Reranker extends Checkable {
  /** Without credentials, for messages and explanations. */
  readonly name: string;
  /** One score per text, in the order of the texts; higher is more relevant. Scores of two models cannot be compared. Fails with the SERVICE_ codes. */
  rerank(query: string, texts: readonly string[], signal?: AbortSignal): Promise<readonly number[]>;
}
