/** One chunk as the vector engine holds it. */
export interface VectorRow {
  readonly id: string;
  readonly document: string;
  /** Headings above the chunk, joined for search. */
  readonly headings: string;
  readonly text: string;
  readonly vector: Float32Array;
}

export type SearchMode = "vector" | "text" | "hybrid";

export interface VectorQuery {
  readonly mode: SearchMode;
  /** The question; used by `text` and `hybrid`. */
  readonly text: string;
  /** The embedded question; needed by `vector` and `hybrid`. */
  readonly vector?: Float32Array;
  readonly topK: number;
}

/** `score` grows with relevance: cosine for `vector`, BM25 for `text`, reciprocal rank fusion for `hybrid`. */
export interface VectorHit {
  readonly id: string;
  readonly document: string;
  readonly headings: string;
  readonly text: string;
  readonly score: number;
}

/** An open index. Hits with equal scores come in the order of their IDs. */
export interface VectorIndex {
  search(query: VectorQuery): Promise<readonly VectorHit[]>;
  count(): Promise<number>;
  close(): void;
}

/** An engine that keeps an index as files in a local folder. */
export interface VectorEngine {
  /** Name and format version, recorded beside the files. */
  readonly name: string;
  readonly version: string;
  /** Writes a new index into an empty folder; all files are complete when it returns. */
  write(folder: string, rows: AsyncIterable<readonly VectorRow[]>, dimensions: number): Promise<void>;
  /** Opens a folder that `write` made. It is never written to. */
  open(folder: string): Promise<VectorIndex>;
}
