import type { Digest } from "../core/descriptor.ts";
import type { Context } from "../ports/context.ts";
import type { Embedder } from "../ports/embedding.ts";
import { costOf } from "./budget.ts";
import type { ChunkedDocument, CutResult } from "./cut.ts";
import { type Embeddings, openEmbeddings } from "./embeddings.ts";
import { planBatches, type TextToEmbed } from "./plan.ts";
import { type Prepared, priceOf } from "./prepare.ts";
import type { IndexEstimate } from "./report.ts";
import type { IndexedDocument } from "./schema.ts";
import { cutDocuments, documentGroups } from "./stream.ts";

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

/** Asks no embedder for anything, and takes stored vectors and the index before as what they say they are. */
export async function estimatePrepared({ story, signal }: Pick<Context, "story" | "signal">, prepared: Prepared, durationMs: () => number): Promise<IndexEstimate> {
  const { store, embedder, changes, cutters, requested } = prepared;
  const embeddings = await openEmbeddings(store, embedder.identity, undefined);
  const progress = story.progress("Counting tokens");
  try {
    return await estimateIndex(cutDocuments(changes.toRead, cutters, signal), {
      name: requested.name, kept: changes.kept, embeddings, embedder, price: priceOf(prepared), reference: requested.settings.embedder, durationMs,
      onProgress: (done) => progress.update(done, changes.toRead.length),
    });
  } finally {
    progress.stop();
  }
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
