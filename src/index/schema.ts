import { z } from "zod";
import { Descriptor, Digest } from "../core/descriptor.ts";
import { Metadata } from "../ports/document.ts";
import { EmbedderIdentity } from "../ports/embedding.ts";
import { isPlainLedger } from "./plain-ledger.ts";

/** Fields stand in the order of canonical JSON, as those of a document do: a ledger that was read is then written as it is. */
export const Chunk = z.strictObject({
  headings: z.array(z.string()).meta({ description: "Headings above the chunk, outermost first" }),
  id: z.string().meta({ description: "Stable name: equal text under equal headings of one document keeps its ID" }),
  page: z.int().optional().meta({ description: "Page or slide on which the chunk begins, where the format has such" }),
  textDigest: Digest.meta({ description: "Digest of the text that was embedded" }),
  tokens: z.int().meta({ description: "Tokens of the embedded text by the chunker's tokenizer, part by part: one or two more than the whole has" }),
});
export type Chunk = z.infer<typeof Chunk>;

export const IndexedDocument = z.strictObject({
  chunks: z.array(Chunk),
  digest: Digest.meta({ description: "Digest of the file's bytes" }),
  language: z.string().nullable().meta({ description: "ISO 639-1 code of the language; null where it is not known" }),
  loader: z.string().meta({ description: "Loader that read it and the version of what it makes, such as markdown@1" }),
  metadata: Metadata.meta({ description: "Front matter or document properties, flat" }),
  path: z.string().meta({ description: "Path below the application folder, with forward slashes" }),
});
export type IndexedDocument = z.infer<typeof IndexedDocument>;

/** A file that was found but not indexed. With its digest it need not be read again before it changes. */
export const SkippedDocument = z.strictObject({
  path: z.string(),
  reason: z.string().meta({ description: "To be read after the path, such as `has no text layer`" }),
  digest: Digest.nullable().meta({ description: "Digest of the file's bytes; null where these could not be read" }),
  loader: z.string().nullable().meta({ description: "Loader that gave it up and its version" }),
});
export type SkippedDocument = z.infer<typeof SkippedDocument>;

/** The documents of an index, sorted by path, each with its chunks in order; and what could not be read. */
export const Ledger = z.strictObject({ version: z.literal(2), documents: z.array(IndexedDocument), skipped: z.array(SkippedDocument) });
export type Ledger = z.infer<typeof Ledger>;

export const ChunkerIdentity = z.strictObject({
  name: z.string(),
  version: z.int().meta({ description: "Raised whenever the chunker cuts differently" }),
  tokenizer: z.string().meta({ description: "What counts the tokens, such as cl100k_base" }),
  maxTokens: z.int(),
  overlapTokens: z.int(),
});
export type ChunkerIdentity = z.infer<typeof ChunkerIdentity>;
/** What the chunker cuts to where the manifest says nothing. */
export const chunkDefaults = { maxTokens: 400, overlapTokens: 50 } as const;

/** The logical identity of an index: what was indexed and how. Engine files may differ and are found by ref. */
export const Index = z
  .strictObject({
    version: z.literal(2),
    app: z.string(),
    name: z.string().meta({ description: "Name of the index in the manifest" }),
    embedder: EmbedderIdentity,
    chunker: ChunkerIdentity,
    documents: z.int().meta({ description: "Number of documents" }),
    chunks: z.int().meta({ description: "Number of chunks" }),
    ledger: Descriptor.meta({ description: "The Ledger" }),
  })
  .meta({ title: "Index", description: "Data derived from documents by a named embedder, as one immutable artifact" });
export type Index = z.infer<typeof Index>;

const remake = "Run `twelve index`, and for a release that names the old one `twelve release`, too";
export const indexKind = { mediaType: "application/vnd.twelve.index.v2+json", schema: Index, noun: "index", remake } as const;
export const ledgerKind = { mediaType: "application/vnd.twelve.ledger.v2+json", schema: Ledger, noun: "ledger of an index,", remake, isPlain: isPlainLedger } as const;

/** The ref value that finds an index; `latest` has the same form. */
export const IndexPointer = z.strictObject({ index: Descriptor });
export const indexPointerKind = { mediaType: "index pointer", schema: IndexPointer } as const;

/** How the index is held: the engine's files, and the probe vectors that tell whether an embedder is still the same. */
export const IndexData = z.strictObject({
  version: z.literal(1),
  engine: z.string().meta({ description: "Vector engine, such as lance" }),
  engineVersion: z.string(),
  files: z.array(z.strictObject({ path: z.string(), blob: Descriptor })).meta({ description: "The engine's files, sorted by path" }),
  probe: Descriptor.meta({ description: "The vectors of the probe texts" }),
});
export type IndexData = z.infer<typeof IndexData>;
/** Stored as a blob that the `data/` ref points to: an index may have more files than a ref can hold. */
export const indexDataKind = { mediaType: "application/vnd.twelve.index-data.v1+json", schema: IndexData } as const;
export const IndexDataPointer = z.strictObject({ data: Descriptor });
export const indexDataPointerKind = { mediaType: "index data pointer", schema: IndexDataPointer } as const;

const Loading = z.strictObject({
  namespace: z.string(),
  attempt: z.string().meta({ description: "Tells the process that loads from one that takes over" }),
  at: z.iso.datetime().meta({ description: "Last sign of life" }),
});
/** The ref value of one index at one vector service. It moves from loading to published to dropped, each time by compare-and-swap. */
export const Publication = z.strictObject({
  version: z.literal(1),
  index: Descriptor,
  name: z.string().meta({ description: "Name of the index in the manifest" }),
  url: z.string().meta({ description: "The vector service, without credentials" }),
  published: z
    .strictObject({ namespace: z.string(), chunks: z.int(), publishedAt: z.iso.datetime() })
    .nullable()
    .meta({ description: "What was loaded and compared with the ledger; null before that, and after it was dropped" }),
  loading: Loading.nullable().meta({ description: "A namespace that is being filled" }),
  left: z.array(z.strictObject({ namespace: z.string(), at: z.iso.datetime() })).default([]).meta({ description: "Namespaces that nothing refers to any more, with when that was: `twelve admin gc` drops them" }),
  usedAt: z.iso.datetime().meta({ description: "When it was published, or last taken for a release: nothing young is dropped" }),
});
export type Publication = z.infer<typeof Publication>;
export const publicationKind = { mediaType: "index publication", schema: Publication } as const;

/** The text digests of one batch of vectors, and the vectors in the same order: looking a text up reads no vectors. */
export const EmbeddingBatch = z.strictObject({ count: z.int().positive(), keys: Digest, vectors: Digest });
export type EmbeddingBatch = z.infer<typeof EmbeddingBatch>;
/** The ref value that lists the stored batches of one embedder's vectors. */
export const EmbeddingBatches = z.strictObject({
  version: z.literal(2),
  dimensions: z.int().positive(),
  probe: Descriptor.meta({ description: "The vectors of the probe texts: a model that changed under its name has a list of its own" }),
  batches: z.array(EmbeddingBatch),
});
export type EmbeddingBatches = z.infer<typeof EmbeddingBatches>;
export const embeddingBatchesKind = { mediaType: "embedding batches", schema: EmbeddingBatches } as const;

export const embeddingKeysType = "application/vnd.twelve.embedding-keys.v2";
export const embeddingVectorsType = "application/vnd.twelve.embedding-vectors.v2+float32";
export const digestBytes = 32;

/** The two blobs of a batch. */
export function blobsOfBatch({ count, keys, vectors }: EmbeddingBatch, dimensions: number): { readonly keys: Descriptor; readonly vectors: Descriptor } {
  return {
    keys: { mediaType: embeddingKeysType, digest: keys, size: count * digestBytes },
    vectors: { mediaType: embeddingVectorsType, digest: vectors, size: count * dimensions * 4 },
  };
}
