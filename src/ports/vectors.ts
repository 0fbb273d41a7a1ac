import type { Checkable } from "./check.ts";
import type { Metadata } from "./document.ts";

/** One chunk as the vector engine holds it. */
export interface VectorRow {
  readonly id: string;
  readonly document: string;
  /** Headings above the chunk, joined for search. */
  readonly headings: string;
  readonly text: string;
  /** ISO 639-1 code of the document's language, which decides about stems and stop words; null where it is unknown. */
  readonly language: string | null;
  /** Of the document, with `language` and, where there are pages, `page`. */
  readonly metadata: Metadata;
  readonly vector: Float32Array;
}

/** Every key must have one of its values; numbers and booleans are compared as they are written. A list has each of its items as value. */
export type VectorFilter = Readonly<Record<string, readonly string[]>>;

export interface VectorQuery {
  /** `vector` is exact or nearly exact cosine search, `text` is BM25. */
  readonly mode: "vector" | "text";
  /** The question; used by `text`. */
  readonly text: string;
  /** The embedded question; needed by `vector`. */
  readonly vector?: Float32Array;
  readonly topK: number;
  /** Applied before the best are chosen: `topK` chunks come back wherever that many match. */
  readonly filter?: VectorFilter;
}

/** `score` grows with relevance: cosine for `vector`, BM25 for `text`. */
export interface VectorHit {
  readonly id: string;
  readonly document: string;
  readonly headings: string;
  readonly text: string;
  readonly metadata: Metadata;
  readonly score: number;
}

/** An open index. Hits with equal scores come in the order of their IDs. */
export interface VectorIndex {
  search(query: VectorQuery): Promise<readonly VectorHit[]>;
  count(): Promise<number>;
  /** The IDs of all chunks, in no fixed order: what the engine really holds. */
  ids(): AsyncIterable<string>;
  /** Whole rows, of these IDs or of all, in groups and in no fixed order: what is published elsewhere, and what is compared afterwards. */
  rows(ids?: readonly string[]): AsyncIterable<readonly VectorRow[]>;
  close(): void;
}

/** What a new index takes over from an older one, so that unchanged chunks need not be written again. */
export interface VectorBase {
  /** A folder that `write` of the same engine and dimensions made; it is only read. */
  readonly folder: string;
  /** IDs of the chunks that are left behind. */
  readonly drop: ReadonlySet<string>;
}

export interface VectorWrite {
  readonly dimensions: number;
  readonly base?: VectorBase;
  /** Chunks that the base does not have, in groups of any size. Read once, in order, a group at a time. */
  readonly rows: AsyncIterable<readonly VectorRow[]>;
  /** Called when every row is in; what follows is the engine's own work. A failure of it ends the write. */
  readonly onRows?: () => void;
}

/** An engine that keeps an index as files in a local folder. */
export interface VectorEngine {
  /** Name and format version, recorded beside the files. */
  readonly name: string;
  readonly version: string;
  /** Writes a new index into an empty folder; all files are complete when it returns. An index on a base answers as one that was written whole. */
  write(folder: string, index: VectorWrite): Promise<void>;
  /** Opens a folder that `write` made. It is never written to. */
  open(folder: string): Promise<VectorIndex>;
}

/**
 * A server, or a bucket, that holds published indexes, each in a namespace of its own beside the others. The same query on the
 * same rows gives the same ten best as every other engine: `vector` is exact cosine, `text` is BM25 over the same terms.
 */
export interface VectorService extends Checkable {
  /** Where it is, without credentials and without options that make no other place of it, for messages and records. */
  readonly url: string;
  /** Every namespace that is complete, sorted. */
  namespaces(): Promise<readonly string[]>;
  /** Whether a namespace is listed: one small question to the service itself, never answered from memory. */
  holds(namespace: string): Promise<boolean>;
  /**
   * Loads the rows into a namespace, which is listed, complete and searchable only when it returns. A namespace that an interrupted call
   * left behind, or that holds other rows, is made anew; nobody reads it meanwhile. Names are `[a-z0-9-]{1,45}` and start with a letter.
   */
  publish(namespace: string, index: Omit<VectorWrite, "base">): Promise<void>;
  /** Fails with INDEX_NOT_FOUND for a namespace that is not listed. */
  open(namespace: string): Promise<VectorIndex>;
  /** Also what an interrupted `publish` left. Nothing happens where there is nothing. */
  drop(namespace: string): Promise<void>;
  close(): Promise<void>;
}
