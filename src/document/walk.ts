import { readdir, realpath, stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import picomatch from "picomatch";
import { TwelveError } from "../core/errors.ts";
import { endingOf, knownEndings, loaderFor, type LoaderName } from "./read.ts";
import type { SourceSkip } from "../ports/document.ts";

/** A file that a source offers and a loader reads. */
export interface SourceFile {
  /** Path below the application folder, with forward slashes; begins with `../` for a source outside. */
  readonly path: string;
  readonly file: string;
  readonly loader: LoaderName;
}

export interface Walk {
  /** Sorted by path; a file that two sources offer is in it once. */
  readonly files: readonly SourceFile[];
  readonly skipped: readonly SourceSkip[];
  /** How many files of each ending no loader reads. */
  readonly ignored: Readonly<Record<string, number>>;
}

export interface SourceSettings {
  readonly source: readonly string[];
  /** Globs below a source folder; one without a slash matches the name in any folder. */
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

const leftOut = new Set([".git", "node_modules", ".twelve"]);

/** Everything found so far; the walk adds to it. */
interface Found {
  readonly files: Map<string, SourceFile>;
  readonly skipped: Map<string, string>;
  readonly ignored: Map<string, number>;
}

/** Lists the documents of the sources. Fails with SOURCE_INVALID for a source that does not exist or cannot be listed. */
export async function walkSources(dir: string, settings: SourceSettings): Promise<Walk> {
  const isWanted = filterOf(settings);
  const found: Found = { files: new Map(), skipped: new Map(), ignored: new Map() };
  for (const source of settings.source) {
    const root = resolve(dir, source);
    const kind = await kindOf(root, source);
    const nameOf = (file: string): string => relative(dir, file).split(sep).join("/");
    if (kind === "file") addFile(found, root, nameOf(root));
    else await walkFolder(root, { root, realRoot: await realpath(root), found, isWanted, nameOf });
  }
  const byPath = ([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number => (left < right ? -1 : 1);
  return {
    files: [...found.files].sort(byPath).map(([, file]) => file),
    skipped: [...found.skipped].sort(byPath).map(([path, reason]) => ({ path, reason })),
    ignored: Object.fromEntries([...found.ignored].sort(byPath)),
  };
}

interface WalkState {
  readonly root: string;
  readonly realRoot: string;
  readonly found: Found;
  readonly isWanted: (below: string) => boolean;
  readonly nameOf: (file: string) => string;
}

async function walkFolder(folder: string, state: WalkState): Promise<void> {
  const { root, found, isWanted, nameOf } = state;
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (folder === root) throw unreadable(root, error);
    found.skipped.set(nameOf(folder), `cannot be listed: ${codeOf(error)}`);
    return;
  }
  for (const entry of entries) {
    const file = join(folder, entry.name);
    if (leftOut.has(entry.name)) continue;
    if (entry.isDirectory()) await walkFolder(file, state);
    else if (!isWanted(relative(root, file).split(sep).join("/"))) continue;
    else if (entry.isSymbolicLink()) found.skipped.set(nameOf(file), await linkReason(file, state));
    else if (entry.isFile()) addFile(found, file, nameOf(file));
    else found.skipped.set(nameOf(file), "is neither a file nor a folder");
  }
}

function addFile({ files, ignored }: Found, file: string, path: string): void {
  const loader = loaderFor(path);
  if (loader !== undefined) files.set(path, { path, file, loader });
  else ignored.set(endingOf(path), (ignored.get(endingOf(path)) ?? 0) + 1);
}

/**
 * Links are not followed: what they point to inside the source is read under its own path, and what lies outside
 * is not part of the source.
 */
async function linkReason(file: string, { realRoot, nameOf }: WalkState): Promise<string> {
  let target: string;
  try {
    target = await realpath(file);
  } catch (error) {
    return codeOf(error) === "ELOOP" ? "is a symbolic link to itself" : `is a symbolic link to nothing (${codeOf(error)})`;
  }
  if (target !== realRoot && !target.startsWith(realRoot + sep)) return "is a symbolic link out of the source";
  const isLoop = `${await realpath(join(file, ".."))}${sep}`.startsWith(`${target}${sep}`);
  return isLoop ? "is a symbolic link to a folder that it is in" : `is a symbolic link; its target is read as ${nameOf(target)}`;
}

async function kindOf(root: string, source: string): Promise<"file" | "folder"> {
  try {
    const found = await stat(root);
    if (found.isDirectory()) return "folder";
    if (found.isFile() && loaderFor(root) !== undefined) return "file";
  } catch (error) {
    throw codeOf(error) === "ENOENT" ? new TwelveError("SOURCE_INVALID", `There is no source folder ${source} (${root})`, { cause: error }) : unreadable(root, error);
  }
  throw new TwelveError("SOURCE_INVALID", `The source ${source} is neither a folder nor a document. Documents end in ${knownEndings.join(", ")}`);
}

function unreadable(root: string, cause: unknown): TwelveError {
  return new TwelveError("SOURCE_INVALID", `The source ${root} cannot be read: ${codeOf(cause)}`, { cause });
}

export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

function filterOf({ include, exclude = [] }: SourceSettings): (below: string) => boolean {
  const matcher = (globs: readonly string[]): ((path: string) => boolean) => {
    const tests = globs.map((glob) => picomatch(glob, { dot: true, ...(glob.includes("/") ? {} : { basename: true }) }));
    return (path) => tests.some((test) => test(path));
  };
  const isIncluded = include === undefined ? () => true : matcher(include);
  const isExcluded = matcher(exclude);
  return (below) => isIncluded(below) && !isExcluded(below);
}
