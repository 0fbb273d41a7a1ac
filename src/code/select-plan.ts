import picomatch from "picomatch";
import type { Problem } from "../core/errors.ts";
import type { CodeFile } from "./schema.ts";
import type { Repository, TrackedFile } from "./repository.ts";

/** A file to package. */
export interface SelectedFile {
  readonly path: string;
  readonly mode: CodeFile["mode"];
  /** Git's name of the content, when the file on disk is known to have exactly that content. */
  readonly oid: string | undefined;
}

export interface Selection {
  /** Sorted by path. */
  readonly files: readonly SelectedFile[];
  /** Whether a packaged file, or one that the commit would have packaged, differs from the commit. */
  readonly isDirty: boolean;
  readonly problems: readonly Problem[];
}

export interface SelectionRules {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Files outside of the rules whose changes make a build dirty all the same: the manifest. */
  readonly watched: readonly string[];
}

/** Which tracked files a build packages, and what stands in the way. Depends on nothing but its arguments. */
export function selectFiles(repository: Repository, { include, exclude, watched }: SelectionRules): Selection {
  const isWanted = matcher(include, exclude);
  // A file with a merge conflict is in the index up to three times.
  const tracked = repository.files.filter(({ path }, index, all) => isWanted(path) && all[index - 1]?.path !== path);
  const changed = [...repository.changes.values()].filter(({ path }) => isWanted(path) || watched.includes(path));
  const problems = tracked.flatMap((file) => complaint(file, repository));
  const files = tracked.map((file) => select(file, repository));
  files.sort((left, right) => (left.path < right.path ? -1 : 1));
  return { files, isDirty: repository.commit === null || changed.length > 0, problems };
}

/** Whether the rules take a path. Names that begin with a dot are files like any other; `.twelve` is ours. */
export function matcher(include: readonly string[], exclude: readonly string[]): (path: string) => boolean {
  const options = { dot: true };
  const isIncluded = include.includes("**") ? () => true : picomatch([...include], options);
  const isExcluded = exclude.length === 0 ? () => false : picomatch([...exclude], options);
  return (path) => isIncluded(path) && !isExcluded(path) && !path.startsWith(".twelve/");
}

function select({ path, mode, oid, isWatched }: TrackedFile, { changes }: Repository): SelectedFile {
  const change = changes.get(path);
  const kind = change?.isOnDisk === true ? change.mode : mode;
  const isAsInIndex = isWatched && change?.isOnDisk !== true;
  return { path, mode: kind === "submodule" ? "file" : kind, oid: isAsInIndex ? oid : undefined };
}

function complaint(file: TrackedFile, { changes }: Repository): readonly Problem[] {
  const at = (message: string): readonly Problem[] => [{ file: file.path, message }];
  if (file.mode === "submodule") return at("is a submodule; its files are not tracked by this repository. Exclude it with `code.exclude`, or copy its files in");
  if (file.isUnmerged) return at("has a merge conflict. Resolve it and `git add` the file");
  if (changes.get(file.path)?.isDeleted === true) {
    const argument = shellWord(file.path);
    return at(`is tracked by git but missing on disk. Restore it with \`git restore -- ${argument}\`, or remove it with \`git rm --cached -- ${argument}\``);
  }
  if (file.path.includes("\uFFFD")) return at("has a name that is not UTF-8. Rename it");
  return [];
}

/** As a POSIX shell takes it for one word. */
export function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
