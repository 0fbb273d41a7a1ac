import type { Checkable } from "./check.ts";

/** One reranking model behind one URL, such as `tei+http://127.0.0.1:8080`. */
export interface Reranker extends Checkable {
  /** Without credentials, for messages and explanations. */
  readonly name: string;
  /** One score per text, in the order of the texts; higher is more relevant. Scores of two models cannot be compared. Fails with the SERVICE_ codes. */
  rerank(query: string, texts: readonly string[], signal?: AbortSignal): Promise<readonly number[]>;
  /** The model itself, where it runs in this process: a `rerank:` process serves it. */
  readonly local?: CrossEncoder;
}

/** A model that reads a question and a text together. */
export interface CrossEncoder {
  /** Below the application's folder. */
  readonly folder: string;
  /** Names the model's files. */
  readonly digest: string;
  readonly dtype: string;
  /** Of a question and a text together, in tokens of the model. */
  readonly maxTokens: number;
  /** Loads it, where it is not loaded yet: this takes a while, and the first question then does not. */
  load(): Promise<void>;
  /** One number per text, as the model gives it. Longer pairs are cut, or fail with REQUEST_INVALID unless `isTruncated`. */
  score(query: string, texts: readonly string[], options: { readonly isTruncated: boolean; readonly signal?: AbortSignal | undefined }): Promise<readonly number[]>;
}
