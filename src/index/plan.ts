import type { Descriptor, Digest } from "../core/descriptor.ts";
import type { Embedder, EmbedderIdentity } from "../ports/embedding.ts";
import type { ChunkSizes, ChunkText } from "./chunk.ts";
import { embeddedText } from "./chunk.ts";
import { chunkDefaults, type ChunkerIdentity, type Index, type IndexedDocument, type Ledger, type SkippedDocument } from "./schema.ts";

/** Raised whenever any document is cut differently: an index with another version is made anew. */
const chunkerVersion = 2;

export function chunkerIdentity({ maxTokens = chunkDefaults.maxTokens, overlapTokens = chunkDefaults.overlapTokens }: { readonly [Size in keyof ChunkSizes]?: number | undefined } = {}): ChunkerIdentity {
  return { name: "structure", version: chunkerVersion, tokenizer: "cl100k_base", maxTokens, overlapTokens };
}

/** A file that a source offers, with the loader that reads it and that loader's version. */
export interface ListedFile {
  readonly path: string;
  readonly loader: string;
}

/** What an index takes over from the one before, and what must be read. */
export interface Changes<File extends ListedFile> {
  readonly kept: readonly IndexedDocument[];
  /** Files that could not be read before and have not changed since. */
  readonly keptSkips: readonly SkippedDocument[];
  readonly toRead: readonly File[];
  /** IDs of the chunks that the older index has and the new one takes no more, or makes anew. */
  readonly dropped: ReadonlySet<string>;
}

/** `digests` are those of the files now, as far as the older ledger knows the files. */
export function planChanges<File extends ListedFile>(previous: Ledger | undefined, files: readonly File[], digests: ReadonlyMap<string, Digest>): Changes<File> {
  const documents = new Map(previous?.documents.map((document) => [document.path, document]));
  const skips = new Map(previous?.skipped.map((skip) => [skip.path, skip]));
  const isSame = (known: { readonly digest: Digest | null; readonly loader: string | null } | undefined, { path, loader }: File): boolean =>
    known !== undefined && known.digest !== null && known.loader === loader && known.digest === digests.get(path);
  const kept: IndexedDocument[] = [];
  const keptSkips: SkippedDocument[] = [];
  const toRead: File[] = [];
  for (const file of files) {
    const [document, skip] = [documents.get(file.path), skips.get(file.path)];
    if (document !== undefined && isSame(document, file)) {
      kept.push(document);
      documents.delete(file.path);
    } else if (skip !== undefined && isSame(skip, file)) keptSkips.push(skip);
    else toRead.push(file);
  }
  const dropped = new Set([...documents.values()].flatMap(({ chunks }) => chunks.map(({ id }) => id)));
  return { kept, keptSkips, toRead, dropped };
}

/** What the index says about the documents: everything but their text. Both lists come sorted by path. */
export function planLedger(documents: readonly IndexedDocument[], skipped: readonly SkippedDocument[]): Ledger {
  const byPath = (left: { readonly path: string }, right: { readonly path: string }): number => (left.path < right.path ? -1 : 1);
  return { documents: documents.toSorted(byPath), skipped: skipped.toSorted(byPath), version: 2 };
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

/** How many different texts have a vector in the index. */
export function countTexts(documents: readonly IndexedDocument[]): number {
  const texts = new Set<Digest>();
  for (const { chunks } of documents) for (const { textDigest } of chunks) texts.add(textDigest);
  return texts.size;
}

export interface TextToEmbed {
  readonly digest: Digest;
  readonly text: string;
  readonly tokens: number;
}

/** Every text once, under its digest. */
export function planTexts(chunks: Iterable<ChunkText>): ReadonlyMap<Digest, TextToEmbed> {
  const texts = new Map<Digest, TextToEmbed>();
  for (const { textDigest, headings, text, tokens } of chunks) texts.set(textDigest, { digest: textDigest, text: embeddedText(headings, text), tokens });
  return texts;
}

/** One request to an embedder. */
export interface EmbeddingTask {
  readonly texts: readonly TextToEmbed[];
  readonly tokens: number;
}

/** Larger ones bring no speed, and more is lost with one that fails. */
const largestBatch = 256;

/** In order, each as large as the embedder's limits allow; a text above the limit of tokens goes alone. */
export function planBatches(texts: ReadonlyMap<Digest, TextToEmbed>, { maxBatch, maxBatchTokens = Number.POSITIVE_INFINITY }: Pick<Embedder, "maxBatch" | "maxBatchTokens">): readonly EmbeddingTask[] {
  const batches: { texts: TextToEmbed[]; tokens: number }[] = [];
  for (const text of texts.values()) {
    const last = batches.at(-1);
    const isRoom = last !== undefined && last.texts.length < Math.min(maxBatch, largestBatch) && last.tokens + text.tokens <= maxBatchTokens;
    if (isRoom) {
      last.texts.push(text);
      last.tokens += text.tokens;
    } else batches.push({ texts: [text], tokens: text.tokens });
  }
  return batches;
}
