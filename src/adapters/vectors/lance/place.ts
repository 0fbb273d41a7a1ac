import type { ServiceCheck } from "../../../ports/check.ts";

/** What LanceDB is given to open a table: where it is, and what it takes to get there. */
export interface Opening {
  readonly uri: string;
  readonly storageOptions: Record<string, string>;
  /** When these credentials end; the table is then opened anew. */
  readonly expiresAt: Date | undefined;
}

/**
 * Where tables are published: a folder each, which never changes once its `shape.json` is there. That file is written last
 * and removed first, so that it stands for the whole.
 */
export interface Place {
  readonly url: string;
  /** The names of all folders that are complete. */
  list(signal?: AbortSignal): Promise<readonly string[]>;
  /** The text of a folder's `shape.json`; undefined where there is none. */
  readShape(name: string, signal?: AbortSignal): Promise<string | undefined>;
  /** Puts the files of a local folder there, the shape last. Nothing may be there before. */
  put(name: string, folder: string): Promise<void>;
  /** Removes the shape, then everything else. */
  remove(name: string): Promise<void>;
  openingOf(name: string, signal?: AbortSignal): Promise<Opening>;
  /** Asks for something small. Fails as every other call would: with what is wrong with the place. */
  probe(signal?: AbortSignal): Promise<void>;
  check(signal?: AbortSignal): Promise<ServiceCheck>;
  close(): void;
}

/** `3 published indexes` */
export function countedIndexes(count: number): string {
  return `${count} published ${count === 1 ? "index" : "indexes"}`;
}
