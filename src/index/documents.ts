import { TwelveError } from "../core/errors.ts";
import { endingOf, knownFormats, loaderFor, loaderIdentity, type LoaderName, maxDocumentBytes } from "../document/read.ts";
import type { IndexSettings } from "../manifest/schema.ts";
import type { Context } from "../ports/context.ts";
import type { SourceFile } from "../ports/document.ts";
import type { ListedFile } from "./plan.ts";
import type { SkippedDocument } from "./schema.ts";
import { wantedBy } from "./wanted.ts";

/** A file that a loader reads. */
export interface DocumentFile extends ListedFile {
  readonly source: SourceFile;
  readonly loaderName: LoaderName;
}

export interface Listing {
  readonly files: readonly DocumentFile[];
  readonly skipped: readonly SkippedDocument[];
  /** How many files of each ending no loader reads. */
  readonly ignored: Readonly<Record<string, number>>;
}

/** Lists what the sources offer; a file that two of them offer is in it once. Fails with SOURCE_INVALID, or as a source's service does. */
export async function listDocuments(context: Context, settings: IndexSettings): Promise<Listing> {
  const { signal, story } = context;
  const isWanted = wantedBy(settings);
  const files = new Map<string, DocumentFile>();
  const skipped = new Map<string, SkippedDocument>();
  const ignored = new Map<string, number>();
  const skip = (path: string, reason: string): void => void skipped.set(path, { path, reason, digest: null, loader: null });
  const progress = story.progress("Looking for documents");
  try {
    for (const reference of settings.source) {
      const source = await context.openSource(reference, { gitignore: settings.gitignore ?? true });
      for await (const found of source.list(isWanted, signal)) {
        signal.throwIfAborted();
        if ("reason" in found) skip(found.path, found.reason);
        else addFile(found);
        progress.update(files.size);
      }
    }
  } finally {
    progress.stop();
  }

  function addFile(source: SourceFile): void {
    const loaderName = (source.loader as LoaderName | undefined) ?? loaderFor(source.path);
    if (loaderName === undefined) {
      const ending = endingOf(source.path);
      ignored.set(ending, (ignored.get(ending) ?? 0) + 1);
    } else if (source.sizeBytes > maxDocumentBytes) skip(source.path, `has ${megabytes(source.sizeBytes)} MB; at most ${megabytes(maxDocumentBytes)} MB are read`);
    else files.set(source.path, { path: source.path, loader: loaderIdentity(loaderName), loaderName, source });
  }

  // What one source skips, such as a link, another may name as a document.
  for (const path of files.keys()) skipped.delete(path);
  return { files: [...files.values()], skipped: [...skipped.values()], ignored: Object.fromEntries([...ignored].sort(([left], [right]) => (left < right ? -1 : 1))) };
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(bytes % (1024 * 1024) === 0 ? 0 : 1);
}

/** For sources that hold no document at all: an empty index helps nobody. */
export function nothingFound({ source, include }: IndexSettings, skipped: readonly SkippedDocument[], ignored: Listing["ignored"]): TwelveError {
  const others = Object.entries(ignored).map(([ending, count]) => `${count} ${ending === "" ? "without an ending" : ending}`);
  const notes = [
    others.length === 0 ? undefined : `Files of other kinds: ${others.join(", ")}`,
    include === undefined ? undefined : `Only files that match ${include.join(", ")} are read`,
    ...skipped.slice(0, 5).map(({ path, reason }) => `${path} ${reason}`),
  ].filter((note) => note !== undefined);
  const message = `No document was found in ${source.join(", ")}. What is read: ${knownFormats}`;
  return new TwelveError("SOURCE_INVALID", [message, ...notes].join(". "));
}
