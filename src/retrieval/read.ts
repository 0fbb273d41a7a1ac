import { readDocument } from "../artifact/document.ts";
import type { Descriptor, Digest } from "../core/descriptor.ts";
import { checkProbe } from "../index/probe.ts";
import { openIndexData } from "../index/read.ts";
import { type Index, indexKind } from "../index/schema.ts";
import type { Context, Environment } from "../ports/context.ts";
import { fuse } from "./fuse.ts";
import type { RetrievedChunk, SearchMode } from "./schema.ts";

export interface Search {
  readonly mode: SearchMode;
  readonly topK: number;
}

export interface IndexToSearch {
  readonly name: string;
  readonly index: Descriptor;
  /** Reference of the embedder, such as hash:512. */
  readonly embedder: string;
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
export async function openRetriever(context: Context, plan: IndexToSearch, secrets: Environment = {}): Promise<Retriever> {
  const store = await context.store();
  const [index, held, embedder] = await Promise.all([
    readDocument(store, indexKind, plan.index),
    openIndexData(store, plan.index, context.dir),
    context.openEmbedder(plan.embedder, secrets),
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
      const query = { text: question, ...(vector === undefined ? {} : { vector }) };
      // Deeper than topK, so that a chunk which is good in both lists can overtake one that is best in a single list.
      const depth = Math.max(50, topK * 4);
      const lists = mode === "hybrid" ? (["text", "vector"] as const).map((each) => vectors.search({ ...query, mode: each, topK: depth })) : [];
      const hits = mode === "hybrid" ? fuse(await Promise.all(lists)).slice(0, topK) : await vectors.search({ ...query, mode, topK });
      return hits.map((hit, position) => ({ number: position + 1, ...hit }));
    },
    count: () => vectors.count(),
    close: () => vectors.close(),
  };
}
