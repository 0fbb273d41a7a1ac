import { readFile, stat } from "node:fs/promises";
import { type Digest, digestOf } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { decodeText, knownEndings, type LoaderName, maxDocumentBytes } from "../document/read.ts";
import type { SkippedDocument } from "./schema.ts";
import { codeOf, type SourceFile, type SourceSettings, walkSources } from "../document/walk.ts";

/** One readable document: what was in the file, and the digest of its bytes. */
export interface SourceDocument {
  readonly path: string;
  readonly loader: LoaderName;
  readonly digest: Digest;
  readonly text: string;
}

export interface Documents {
  /** Sorted by path. */
  readonly documents: readonly SourceDocument[];
  readonly skipped: readonly SkippedDocument[];
  readonly ignored: Readonly<Record<string, number>>;
}

const readersAtOnce = 16;

/** Reads all documents of the sources. Fails with SOURCE_INVALID when there is none. */
export async function readDocuments(dir: string, settings: SourceSettings, signal: AbortSignal): Promise<Documents> {
  const { files, skipped, ignored } = await walkSources(dir, settings);
  const results: (SourceDocument | SkippedDocument | undefined)[] = files.map(() => undefined);
  const queue = files.entries();
  await Promise.all(Array.from({ length: readersAtOnce }, async () => {
    // The readers share one iterator, so each file is taken once.
    for (const [i, file] of queue) {
      signal.throwIfAborted();
      results[i] = await readDocument(file);
    }
  }));
  const read = results.filter((result) => result !== undefined);
  const documents = read.filter((result) => "text" in result);
  const allSkipped = [...skipped, ...read.filter((result) => "reason" in result)].sort((left, right) => (left.path < right.path ? -1 : 1));
  if (documents.length === 0) throw nothingFound(settings, allSkipped, ignored);
  return { documents, skipped: allSkipped, ignored };
}

async function readDocument({ path, file, loader }: SourceFile): Promise<SourceDocument | SkippedDocument> {
  try {
    const { size } = await stat(file);
    if (size > maxDocumentBytes) return { path, reason: `has ${megabytes(size)} MB; at most ${megabytes(maxDocumentBytes)} MB are read` };
    const bytes = await readFile(file);
    const decoded = decodeText(bytes);
    return "reason" in decoded ? { path, reason: decoded.reason } : { path, loader, digest: digestOf(bytes), text: decoded.text };
  } catch (error) {
    return { path, reason: `cannot be read: ${codeOf(error)}` };
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(bytes % (1024 * 1024) === 0 ? 0 : 1);
}

function nothingFound({ source, include }: SourceSettings, skipped: readonly SkippedDocument[], ignored: Readonly<Record<string, number>>): TwelveError {
  const others = Object.entries(ignored).map(([ending, count]) => `${count} ${ending === "" ? "without an ending" : ending}`);
  const notes = [
    others.length === 0 ? undefined : `Files of other kinds: ${others.join(", ")}`,
    include === undefined ? undefined : `Only files that match ${include.join(", ")} are read`,
    ...skipped.slice(0, 5).map(({ path, reason }) => `${path} ${reason}`),
  ].filter((note) => note !== undefined);
  const message = `No document was found in ${source.join(", ")}. Documents end in ${knownEndings.join(", ")}`;
  return new TwelveError("SOURCE_INVALID", [message, ...notes].join(". "));
}
