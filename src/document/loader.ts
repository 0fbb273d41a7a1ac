import type { LoadedDocument, Unreadable } from "./schema.ts";

/** Text with `\n` line ends, and the path for those to whom it says something. */
export type LoadText = (text: string, path: string) => Promise<LoadedDocument | Unreadable> | LoadedDocument | Unreadable;

/** For formats that are no plain text, or that name their encoding themselves. */
export type LoadBytes = (bytes: Uint8Array, path: string) => Promise<LoadedDocument | Unreadable>;

export interface LoaderRow {
  /** Raised whenever any file gives other blocks or metadata: files that an older version read are loaded again. */
  readonly version: number;
  readonly endings: readonly string[];
  /** Brings in the loader with its parser, at the first file that needs it. */
  readonly reader: (() => Promise<{ readonly text: LoadText }>) | (() => Promise<{ readonly bytes: LoadBytes }>);
}
