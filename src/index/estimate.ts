import type { Digest } from "../core/descriptor.ts";
import type { Embedder } from "../ports/embedding.ts";
import { costOf } from "./budget.ts";
import type { CutResult } from "./cut.ts";
import type { Embeddings } from "./embeddings.ts";
import { planBatches, type TextToEmbed } from "./plan.ts";
import type { IndexEstimate } from "./report.ts";
import type { IndexedDocument } from "./schema.ts";

interface Estimating {
  readonly name: string;
  readonly kept: readonly IndexedDocument[];
  readonly embeddings: Pick<Embeddings, "has">;
  readonly embedder: Embedder;
  readonly price: number | null;
  /** The embedder as the manifest names it. */
  readonly reference: string;
  readonly onProgress: (documents: number) => void;
  readonly durationMs: () => number;
}

/** Counts what would be embedded, as a run would find it. */
export async function estimateIndex(results: AsyncIterable<CutResult>, { name, kept, embeddings, embedder, price, reference, onProgress, durationMs }: Estimating): Promise<IndexEstimate> {
  const missing = new Map<Digest, TextToEmbed>();
  let documents = kept.length;
  let chunks = kept.reduce((sum, document) => sum + document.chunks.length, 0);
  let done = 0;
  for await (const result of results) {
    onProgress(++done);
    if (result.kind === "skipped") continue;
    documents++;
    chunks += result.document.chunks.length;
    // The texts themselves are not kept: an estimate has no use for them.
    for (const { textDigest: digest, tokens } of result.document.chunks) if (!embeddings.has(digest)) missing.set(digest, { digest, text: "", tokens });
  }
  const batches = planBatches(missing, embedder);
  const tokens = batches.reduce((sum, batch) => sum + batch.tokens, 0);
  return { kind: "estimate", name, embedder: reference, documents, chunks, toEmbed: { texts: missing.size, tokens, requests: batches.length, costUsd: costOf(tokens, price) }, durationMs: durationMs() };
}
