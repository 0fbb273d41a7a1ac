import { z } from "zod";

const MetadataScalar = z.union([z.string(), z.number(), z.boolean()]);

/** What a document says about itself: front matter, properties of an office file, fields of a feed. Flat; nested keys are joined with dots. */
export const Metadata = z.record(z.string(), z.union([MetadataScalar, z.array(MetadataScalar)]));
export type Metadata = z.infer<typeof Metadata>;

const scalars = new Set(["string", "number", "boolean"]);

/** What `Metadata` accepts, told without a copy. */
export function isMetadata(value: unknown): value is Metadata {
  const isScalar = (item: unknown): boolean => scalars.has(typeof item);
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every((item) => isScalar(item) || (Array.isArray(item) && item.every(isScalar)));
}

/** Something that a source offers. What it is, and whether a loader reads it, is decided by whoever asked. */
export interface SourceFile {
  /** Its name in the ledger, with forward slashes: below the application folder, or `s3://bucket/key`, or `feed.jsonl#id`. */
  readonly path: string;
  /** The local file that holds it, where there is one: workers then read it themselves. */
  readonly file?: string;
  readonly sizeBytes: number;
  /** One path with equal versions has equal content, so what is known of it need not be read again. Left out where a change might not show. */
  readonly version?: string;
  /** Given by the source beside the text, such as the `metadata` of a feed's line. Wins over what the text says. */
  readonly metadata?: Metadata;
  /** The loader to use whatever the path's ending says. */
  readonly loader?: string;
  /** The content, read anew at each call. Fails with SOURCE_INVALID or the SERVICE_ codes. */
  read(signal?: AbortSignal): Promise<Uint8Array>;
}

/** Something that was found but is no document, with the reason. */
export interface SourceSkip {
  readonly path: string;
  readonly reason: string;
}

export interface SourceOptions {
  /** Whether a folder's .gitignore files are respected; true by default. */
  readonly gitignore?: boolean | undefined;
}

/** A folder, a bucket's prefix or a feed. */
export interface DocumentSource {
  /** Without credentials, for messages. */
  readonly url: string;
  /**
   * Everything that `isWanted` accepts; it is asked with the path below the source. Each path comes once, in any order.
   * Fails with SOURCE_INVALID when the source itself cannot be listed; what is in it and cannot be read is a skip.
   */
  list(isWanted: (below: string) => boolean, signal?: AbortSignal): AsyncIterable<SourceFile | SourceSkip>;
}
