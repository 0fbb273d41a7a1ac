/** A place that files are fetched from by their path: a web server's folder, a bucket's prefix, a local folder. */
export interface Origin {
  /** Without credentials, for messages and records. */
  readonly url: string;
  /**
   * The file at `path`, which has forward slashes, below the origin; undefined when there is none. One attempt: whoever
   * calls decides about retries by the failure's `retry`, also for a failure while the bytes are read.
   * Fails with the SERVICE_ codes.
   */
  open(path: string, options?: OpenOptions): Promise<OriginFile | undefined>;
}

export interface OpenOptions {
  /** Asks for the rest of a file of which the first bytes are here already. */
  readonly resume?: { readonly start: number; readonly version: string };
  readonly signal?: AbortSignal;
}

export interface OriginFile {
  /** Where `bytes` begins: `resume.start` when the file still is that version, else 0. */
  readonly start: number;
  /** Size of the whole file, where the origin says it. */
  readonly sizeBytes: number | undefined;
  /** A name that changes whenever a byte does, where the origin has one. */
  readonly version: string | undefined;
  /** Read it to its end or leave it early: either lets go of the connection. */
  readonly bytes: AsyncIterable<Uint8Array>;
}
