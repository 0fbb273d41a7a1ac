import type { Git } from "./git.ts";

/** One entry of git's index below the application folder. */
export interface TrackedFile {
  /** Below the application folder, with forward slashes. */
  readonly path: string;
  readonly mode: "file" | "executable" | "symlink" | "submodule";
  /** Git's name for the content in the index. */
  readonly oid: string;
  /** Whether git compares the file on disk with the index: not so for "assume unchanged" and sparse checkouts. */
  readonly isWatched: boolean;
  readonly isUnmerged: boolean;
}

/** How a tracked path differs from the commit. A path that `TrackedFile`s no longer list was removed from the index. */
export interface Change {
  readonly path: string;
  /** Whether the file on disk differs from the index. */
  readonly isOnDisk: boolean;
  readonly isDeleted: boolean;
  /** Kind of the file on disk. */
  readonly mode: TrackedFile["mode"];
}

export interface Repository {
  /** null before the first commit. */
  readonly commit: string | null;
  readonly files: readonly TrackedFile[];
  readonly changes: ReadonlyMap<string, Change>;
}

/** What git knows of the application folder. Fails with GIT_MISSING. */
export async function readRepository(git: Git): Promise<Repository> {
  const [index, status] = await Promise.all([git.run(["ls-files", "--cached", "--stage", "-v", "-z"]), readStatus(git)]);
  return { files: parseIndex(index), ...status };
}

/** The commit, and how the application folder differs from it. Fails with GIT_MISSING. */
export async function readStatus(git: Git): Promise<Pick<Repository, "commit" | "changes">> {
  const [prefix, status] = await Promise.all([
    git.run(["rev-parse", "--show-prefix"]),
    git.run(["status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=no", "--ignore-submodules=all", "--no-renames", "-z", "--", "."]),
  ]);
  return parseStatus(status, decodePath(prefix).replace(/\n$/, ""));
}

/** Files of the folders that git neither tracks nor ignores. */
export async function listUntracked(git: Git, folders: readonly string[]): Promise<readonly string[]> {
  if (folders.length === 0) return [];
  const output = await git.run(["ls-files", "--others", "--exclude-standard", "-z", "--", ...folders]);
  return decodePath(output).split("\0").filter((path) => path !== "");
}

const modes: Readonly<Record<string, TrackedFile["mode"]>> = { "100644": "file", "100755": "executable", "120000": "symlink", "160000": "submodule" };

/** `<tag> <mode> <oid> <stage>\t<path>`, each ended by a zero byte. */
function parseIndex(output: Buffer): readonly TrackedFile[] {
  const files: TrackedFile[] = [];
  const text = decodePath(output);
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf("\0", start);
    const tab = text.indexOf("\t", start);
    const modeEnd = start + 8;
    const oidEnd = text.indexOf(" ", modeEnd + 1);
    files.push({
      path: text.slice(tab + 1, end),
      mode: modes[text.slice(start + 2, modeEnd)] ?? "file",
      oid: text.slice(modeEnd + 1, oidEnd),
      // H is an ordinary entry; M is an unmerged one; lower case and S are those that git does not look at.
      isWatched: text[start] === "H",
      isUnmerged: text.slice(oidEnd + 1, tab) !== "0",
    });
    start = end + 1;
  }
  return files;
}

/** Git's porcelain format, version 2; its paths are relative to the top of the repository. */
function parseStatus(output: Buffer, prefix: string): Pick<Repository, "commit" | "changes"> {
  const changes = new Map<string, Change>();
  let commit: string | null = null;
  for (const line of decodePath(output).split("\0")) {
    if (line.startsWith("# branch.oid ")) {
      const oid = line.slice("# branch.oid ".length);
      commit = oid === "(initial)" ? null : oid;
    }
    // `1 XY sub mH mI mW hH hI path`, and for unmerged files `u XY sub m1 m2 m3 mW h1 h2 h3 path`.
    const fields = line.startsWith("1 ") ? 8 : line.startsWith("u ") ? 10 : 0;
    if (fields === 0) continue;
    const parts = line.split(" ");
    const path = parts.slice(fields).join(" ").slice(prefix.length);
    const onDisk = parts[1]?.[1] ?? ".";
    changes.set(path, { path, isOnDisk: onDisk !== ".", isDeleted: onDisk === "D", mode: modes[parts[fields === 8 ? 5 : 6] ?? ""] ?? "file" });
  }
  return { commit, changes };
}

/** Bytes that are no UTF-8 become U+FFFD; no file on disk has such a name, and `selectFiles` says so. */
function decodePath(bytes: Buffer): string {
  return bytes.toString("utf8");
}
