import { z } from "zod";
import type { Checkable } from "./check.ts";

/** Everything that decides which vector a text gets. Two embedders with equal identities share cached vectors. */
export const EmbedderIdentity = z.strictObject({
  provider: z.string().meta({ description: "Provider name, such as hash" }),
  model: z.string().meta({ description: "Model ID at the provider" }),
  dimensions: z.int().positive().meta({ description: "Length of every vector" }),
  normalised: z.boolean().meta({ description: "Whether every vector has length 1" }),
  documentTask: z.string().nullable().meta({ description: "Task type sent for documents, where the provider has one" }),
  queryTask: z.string().nullable().meta({ description: "Task type sent for queries, where the provider has one" }),
});
export type EmbedderIdentity = z.infer<typeof EmbedderIdentity>;

/** One embedding model behind one URL, such as `hash:512`. Its `check` embeds one short text: nothing else shows that it gives vectors. */
export interface Embedder extends Checkable {
  readonly identity: EmbedderIdentity;
  /** How many texts one call of `embed` may take. A call is one request, which is what rates are counted in. */
  readonly maxBatch: number;
  /** How many calls are well under way at the same time where the manifest says nothing; 8 where it is left out. */
  readonly requestsAtOnce?: number;
  /** How many tokens the texts of one call may have together; no limit where it is left out. */
  readonly maxBatchTokens?: number;
  /** How many tokens one text may have; the provider cuts or refuses longer ones. */
  readonly maxTextTokens?: number;
  /** US dollars for a million tokens; 0 for what runs here, null where the price is not known. */
  readonly usdPerMillionTokens: number | null;
  /** How much its ranking weighs in a hybrid search, beside 1 for BM25, where the manifest says nothing. */
  readonly fusionWeight: number;
  /**
   * One vector of `identity.dimensions` numbers per text, in order. One request, one attempt: whoever calls decides about retries by
   * the failure's `retry`. Fails with the SERVICE_ codes.
   */
  embed(texts: readonly string[], task: "document" | "query", signal?: AbortSignal): Promise<readonly Float32Array[]>;
}
