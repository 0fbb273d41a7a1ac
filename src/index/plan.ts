import type { Descriptor, Digest } from "../core/descriptor.ts";
import type { EmbedderIdentity } from "../ports/embedding.ts";
import { type ChunkSizes, type ChunkText, chunkerVersion, embeddedText } from "./chunk.ts";
import { chunkDefaults, type ChunkerIdentity, type Index, type IndexedDocument, type Ledger } from "./schema.ts";

export function chunkerIdentity({ maxTokens = chunkDefaults.maxTokens, overlapTokens = chunkDefaults.overlapTokens }: { readonly [Size in keyof ChunkSizes]?: number | undefined } = {}): ChunkerIdentity {
  return { name: "structure", version: chunkerVersion, tokenizer: "estimate", maxTokens, overlapTokens };
}

/** A document after the chunker. */
export interface ChunkedDocument extends Omit<IndexedDocument, "chunks"> {
  readonly chunks: readonly ChunkText[];
}

/** What the index says about the documents: everything but their text. */
export function planLedger(documents: readonly ChunkedDocument[]): Ledger {
  const entries = documents.map(({ path, digest, loader, language, metadata, chunks }) => ({
    path,
    digest,
    loader,
    language,
    metadata,
    chunks: chunks.map(({ text: _, ...chunk }) => chunk),
  }));
  return { version: 2, documents: entries.sort((left, right) => (left.path < right.path ? -1 : 1)), skipped: [] };
}

export interface IndexFacts {
  readonly app: string;
  readonly name: string;
  readonly embedder: EmbedderIdentity;
  readonly chunker: ChunkerIdentity;
}

export function planIndex(facts: IndexFacts, { documents }: Ledger, ledger: Descriptor): Index {
  const chunks = documents.reduce((sum, document) => sum + document.chunks.length, 0);
  return { version: 2, ...facts, documents: documents.length, chunks, ledger };
}

/**
 * Whether the ledger already says exactly this: the same files with the same bytes, read by the same loaders. Then, with
 * the same chunker, cutting them again would give the same chunks.
 */
export function isSameDocuments({ documents }: Ledger, found: readonly Pick<IndexedDocument, "path" | "digest" | "loader">[]): boolean {
  if (documents.length !== found.length) return false;
  const byPath = new Map(documents.map((document) => [document.path, document]));
  return found.every(({ path, digest, loader }) => byPath.get(path)?.digest === digest && byPath.get(path)?.loader === loader);
}

/** How many different texts have a vector in the index. */
export function countTexts({ documents }: Ledger): number {
  return new Set(documents.flatMap(({ chunks }) => chunks.map(({ textDigest }) => textDigest))).size;
}

/** Every text once, under its digest, in the order of the documents. */
export function planTexts(documents: readonly ChunkedDocument[]): ReadonlyMap<Digest, string> {
  return new Map(documents.flatMap(({ chunks }) => chunks.map(({ textDigest, headings, text }) => [textDigest, embeddedText(headings, text)] as const)));
}

export type EmbeddingBatch = readonly (readonly [digest: Digest, text: string])[];

/** The texts that have no vector yet, in batches for the embedder. */
export function planBatches(texts: ReadonlyMap<Digest, string>, known: ReadonlyMap<Digest, unknown>, size: number): readonly EmbeddingBatch[] {
  const missing = [...texts].filter(([digest]) => !known.has(digest));
  return Array.from({ length: Math.ceil(missing.length / size) }, (_, i) => missing.slice(i * size, (i + 1) * size));
}
