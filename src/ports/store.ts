import type { Descriptor, Digest } from "../core/descriptor.ts";
import type { TwelveError } from "../core/errors.ts";
import type { ServiceCheck } from "./check.ts";

/**
 * Content-addressed blobs. A blob is written once and never changed. Any method, and any of the refs', may fail with STORE_UNUSABLE, and
 * with the SERVICE_ codes where the store is a service.
 */
export interface BlobStore {
  has(digest: Digest): Promise<boolean>;
  /** Verifies size and digest. Fails with BLOB_NOT_FOUND or BLOB_CORRUPT, naming the blob. */
  read(blob: Descriptor): Promise<Uint8Array>;
  /** Durable when it returns. Writing bytes that are there already changes nothing, save that a damaged blob is whole again. */
  write(bytes: Uint8Array, mediaType: string): Promise<Descriptor>;
  /** Like `write`, for a local file of any size that the caller gives up: it is gone afterwards. */
  writeFile(path: string, mediaType: string): Promise<Descriptor>;
  /**
   * Puts the blob at `path` as a read-only local file, without copying where the store can; a file that is there is replaced.
   * Verifies size and digest. Fails with BLOB_NOT_FOUND, BLOB_CORRUPT, or FOLDER_UNUSABLE when `path` cannot be written.
   */
  readFile(blob: Descriptor, path: string): Promise<void>;
  /** Reads the blob again from end to end and gives its size in bytes. Fails with BLOB_NOT_FOUND or BLOB_CORRUPT. */
  check(digest: Digest): Promise<number>;
  /** Every blob there is, in no fixed order. */
  list(): AsyncIterable<Digest>;
}

/** A ref's value with the tag that a later `replace` must name. */
export interface Ref {
  readonly value: string;
  readonly tag: string;
}

/**
 * Small named values that move. Names are slash-separated segments of `[A-Za-z0-9._-]`, none of them starting with a dot,
 * at most 120 characters each and 512 together. Values are at most 64 KiB of text. Anything else fails with REF_INVALID.
 * A value is never seen torn, and both writes are durable when they return.
 */
export interface RefStore {
  read(name: string): Promise<Ref | undefined>;
  /** True for exactly one of any number of concurrent callers; false when the ref exists (`If-None-Match: *`). */
  create(name: string, value: string): Promise<boolean>;
  /** Moves the ref only when its tag is still `tag` (`If-Match`); false when someone else was first. */
  replace(name: string, value: string, tag: string): Promise<boolean>;
  /** Names of all refs below `prefix` (which ends in a slash, or is empty), sorted by code unit. */
  list(prefix: string): Promise<readonly string[]>;
}

export interface Store {
  /** Where it is, without credentials, for messages. */
  readonly url: string;
  readonly blobs: BlobStore;
  readonly refs: RefStore;
  /** As `Checkable` says; where the store is a service that can be away. */
  check?(signal?: AbortSignal): Promise<ServiceCheck>;
}

/** Whether the store could not be asked, so that nothing is known of what it holds; else that is missing or damaged. */
export function isStoreAway({ code }: TwelveError): boolean {
  return code === "STORE_UNUSABLE" || code.startsWith("SERVICE_");
}
