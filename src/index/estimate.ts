import type { Digest } from "../core/descriptor.ts";
import type { Embedder } from "../ports/embedding.ts";
import { costOf } from "./budget.ts";
import type { ChunkedDocument, CutResult } from "./cut.ts";
import type { Embeddings } from "./embeddings.ts";
import { planBatches, type TextToEmbed } from "./plan.ts";
import type { IndexEstimate } from "./report.ts";
import type { IndexedDocument } from "./schema.ts";
import { documentGroups } from "./stream.ts";

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

/** Counts what would be embedded, in the groups and requests of a run. */
export async function estimateIndex(results: AsyncIterable<CutResult>, { name, kept, embeddings, embedder, price, reference, onProgress, durationMs }: Estimating): Promise<IndexEstimate> {
  const known = new Set<Digest>();
  let documents = kept.length;
  let chunks = kept.reduce((sum, document) => sum + document.chunks.length, 0);
  const toEmbed = { texts: 0, tokens: 0, requests: 0 };

  async function* newDocuments(): AsyncGenerator<ChunkedDocument> {
    let done = 0;
    for await (const result of results) {
      onProgress(++done);
      if (result.kind === "document") yield result.document;
    }
  }

  for await (const group of documentGroups(newDocuments())) {
    documents += group.length;
    const missing = new Map<Digest, TextToEmbed>();
    for (const { textDigest: digest, tokens } of group.flatMap((document) => document.chunks)) {
      chunks++;
      if (embeddings.has(digest) || known.has(digest)) continue;
      known.add(digest);
      missing.set(digest, { digest, text: "", tokens });
    }
    for (const { texts, tokens } of planBatches(missing, embedder)) {
      toEmbed.texts += texts.length;
      toEmbed.tokens += tokens;
      toEmbed.requests++;
    }
  }
  return { kind: "estimate", name, embedder: reference, documents, chunks, toEmbed: { ...toEmbed, costUsd: costOf(toEmbed.tokens, price) }, durationMs: durationMs() };
}
