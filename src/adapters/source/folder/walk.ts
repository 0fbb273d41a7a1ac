import type { Dirent } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { SourceFile, SourceSkip } from "../../../ports/document.ts";
import { isLeftOut } from "../left-out.ts";
import { codeOf, unreadable } from "../local.ts";
import { type IgnoreRules, rulesBelow } from "./ignore.ts";
import { linkReason } from "./link.ts";

export interface Walk {
  /** The root with every link resolved: what lies outside it is not part of the source. */
  readonly realRoot: string;
  /** What the ignore files above the root's content say. */
  readonly rules: IgnoreRules;
  readonly isWanted: (below: string) => boolean;
  readonly offer: (file: string, sizeBytes: number) => SourceFile;
  /** The ledger's name of a local file, and of a path below the root. */
  readonly nameOf: (file: string) => string;
  readonly nameBelow: (below: string) => string;
  readonly signal?: AbortSignal | undefined;
}

interface Folder {
  readonly path: string;
  /** Below the root, ending in a slash; empty for the root. */
  readonly below: string;
  readonly rules: IgnoreRules;
}

/** Enough to keep the disk busy; each listing takes a file handle, each size one of the process's few I/O threads. */
const foldersAtOnce = 16;
const sizesAtOnce = 128;
const noFile = "is neither a file nor a folder";

/** Everything below the root, folder by folder: only the folders still to visit are held. */
export async function* walkFolder(root: string, walk: Walk): AsyncGenerator<SourceFile | SourceSkip, void> {
  const pending: Folder[] = [{ path: root, below: "", rules: walk.rules }];
  while (pending.length > 0) {
    walk.signal?.throwIfAborted();
    const folders = pending.splice(-foldersAtOnce);
    const listings = await Promise.all(folders.map(async (folder) => listFolder(folder, walk)));
    for (const { skips, subfolders } of listings) {
      yield* skips;
      for (const subfolder of subfolders) pending.push(subfolder);
    }
    const files = listings.flatMap((listing) => listing.files);
    for (let start = 0; start < files.length; start += sizesAtOnce) {
      for (const found of await Promise.all(files.slice(start, start + sizesAtOnce).map(async (file) => measureFile(file, walk)))) {
        walk.signal?.throwIfAborted();
        yield found;
      }
    }
  }
}

interface Listing {
  readonly files: readonly string[];
  readonly subfolders: readonly Folder[];
  readonly skips: readonly SourceSkip[];
}

async function listFolder(folder: Folder, walk: Walk): Promise<Listing> {
  const listing = { files: [] as string[], subfolders: [] as Folder[], skips: [] as SourceSkip[] };
  let entries: Dirent[];
  let rules: IgnoreRules;
  try {
    entries = await readdir(folder.path, { withFileTypes: true });
    // Without its ignore file nobody knows what in the folder is meant to stay out.
    rules = await rulesBelow(folder.rules, folder, entries);
  } catch (error) {
    if (folder.below === "") throw unreadable(folder.path, error);
    listing.skips.push({ path: walk.nameOf(folder.path), reason: `cannot be listed: ${codeOf(error)}` });
    return listing;
  }
  for (const entry of entries) {
    const path = join(folder.path, entry.name);
    const below = folder.below + entry.name;
    if (isLeftOut(entry.name)) continue;
    if (entry.isDirectory()) {
      if (!rules.isIgnored(`${below}/`)) listing.subfolders.push({ path, below: `${below}/`, rules });
    } else if (walk.isWanted(below) && !rules.isIgnored(below)) {
      if (entry.isFile()) listing.files.push(path);
      else listing.skips.push({ path: walk.nameOf(path), reason: entry.isSymbolicLink() ? await linkReason(path, walk.realRoot, walk.nameBelow) : noFile });
    }
  }
  return listing;
}

async function measureFile(path: string, { offer, nameOf }: Walk): Promise<SourceFile | SourceSkip> {
  try {
    const found = await lstat(path);
    return found.isFile() ? offer(path, found.size) : { path: nameOf(path), reason: noFile };
  } catch (error) {
    return { path: nameOf(path), reason: `cannot be read: ${codeOf(error)}` };
  }
}
