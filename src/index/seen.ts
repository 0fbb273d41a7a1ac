import { type LocalCache, readCached, writeCached } from "../artifact/local-cache.ts";
import { type Digest, hexOf } from "../core/descriptor.ts";
import type { Context } from "../ports/context.ts";
import type { DocumentFile } from "./documents.ts";

/** The digests of documents that were read before, by path and the version that their source gave them. */
export type Seen = ReadonlyMap<string, Digest>;

const cacheOf = (dir: string, index: string): LocalCache => ({ dir, name: `documents-${index}`, header: "twelve documents 1" });

export function readSeen(dir: string, index: string): Seen {
  const seen = new Map<string, Digest>();
  const text = readCached(cacheOf(dir, index)) ?? "";
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at);
    const space = text.indexOf(" ", at);
    seen.set(text.slice(space + 1, end), `sha256:${text.slice(at, space)}`);
    at = end + 1;
  }
  return seen;
}

export function digestSeen(seen: Seen, file: DocumentFile): Digest | undefined {
  const name = nameOf(file);
  return name === undefined ? undefined : seen.get(name);
}

interface Known {
  readonly before: Seen;
  readonly files: readonly DocumentFile[];
  readonly digests: ReadonlyMap<string, Digest>;
}

/** Remembers the files of this run, so that the next one reads only those that have changed. Nothing is written where nothing has changed. */
export function writeSeen({ dir, clock, story }: Pick<Context, "dir" | "clock" | "story">, index: string, { before, files, digests }: Known): void {
  let isNew = false;
  const lines = files.flatMap((file) => {
    const [name, digest] = [nameOf(file), digests.get(file.path)];
    if (name === undefined || digest === undefined) return [];
    isNew ||= before.get(name) !== digest;
    return [`${hexOf(digest)} ${name}\n`];
  });
  if (!isNew && lines.length === before.size) return;
  try {
    writeCached(cacheOf(dir, index), lines.join(""), clock);
  } catch (error) {
    // Nothing is lost but time.
    story.warn(`What this run has read cannot be remembered, so the next one reads all documents again: ${(error as Error).message}`);
  }
}

/** Undefined for what cannot be remembered, or not in one line. */
function nameOf({ path, source: { version } }: DocumentFile): string | undefined {
  return version === undefined || version.includes("\n") || path.includes("\n") ? undefined : `${version} ${path}`;
}
