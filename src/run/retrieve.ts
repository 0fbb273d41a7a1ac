import { readDocument } from "../artifact/document.ts";
import type { Digest } from "../core/descriptor.ts";
import { checkProbe } from "../index/probe.ts";
import { openIndexData } from "../index/read.ts";
import { type Index, indexKind } from "../index/schema.ts";
import type { Context } from "../ports/context.ts";
import type { SearchMode } from "../ports/vectors.ts";
import type { IndexPlan } from "./plan.ts";
import type { RetrievedChunk } from "./schema.ts";

export interface Search {
  readonly mode: SearchMode;
  readonly topK: number;
}

/** One index, open for searching. */
export interface Retriever {
  readonly name: string;
  readonly digest: Digest;
  readonly index: Index;
  /** Lowest cosine between the probe texts' vectors now and when the index was made. */
  readonly probeCosine: number;
  /** The best chunks first, numbered from 1. */
  search(question: string, how: Search, signal: AbortSignal | undefined): Promise<readonly RetrievedChunk[]>;
  /** Whether the engine still answers. Fails as the engine does. */
  count(): Promise<number>;
  close(): void;
}

/**
 * Lays out the index's files, opens them, and makes sure that the embedder still gives the vectors it was made with.
 * Fails with EMBEDDER_DRIFTED, INDEX_NOT_FOUND, BLOB_NOT_FOUND or BLOB_CORRUPT.
 */
export async function openRetriever(context: Context, plan: IndexPlan): Promise<Retriever> {
  const store = await context.store();
  const [index, held, embedder] = await Promise.all([
    readDocument(store, indexKind, plan.index),
    openIndexData(store, plan.index, context.dir),
    context.openEmbedder(plan.embedder),
  ]);
  const [engine, probeCosine] = await Promise.all([
    context.openVectors(`${held.data.engine}:`),
    checkProbe(embedder, held.probe, index.embedder, context.signal),
  ]);
  const vectors = await engine.open(held.folder);
  return {
    name: plan.name,
    digest: plan.index.digest,
    index,
    probeCosine,
    async search(question, { mode, topK }, signal) {
      const [vector] = mode === "text" ? [] : await embedder.embed([question], "query", signal);
      const hits = await vectors.search({ mode, text: question, topK, ...(vector === undefined ? {} : { vector }) });
      return hits.map(({ id, document, headings, text, score }, position) => ({ number: position + 1, id, document, headings, text, score }));
    },
    count: () => vectors.count(),
    close: () => vectors.close(),
  };
}
