import { lstat, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { codeOf } from "../local.ts";

export interface Repository {
  readonly top: string;
  /** Patterns of `.git/info/exclude`: what this checkout alone leaves out. */
  readonly exclude: string;
}

/** The git repository that a folder is in: its nearest ancestor, or itself, with a `.git`. No git has to be installed. */
export async function repositoryOf(folder: string): Promise<Repository | undefined> {
  for (let top = folder; ; top = dirname(top)) {
    const found = await lstat(join(top, ".git")).catch(() => undefined);
    if (found !== undefined) {
      const gitFolder = found.isDirectory() ? join(top, ".git") : await linkedFolder(top);
      return { top, exclude: await readText(join(gitFolder, "info", "exclude")) };
    }
    if (dirname(top) === top) return undefined;
  }
}

/** The text of an ignore file; empty where there is none. A link is none: git does not follow it either. */
export async function readText(file: string): Promise<string> {
  try {
    return (await lstat(file)).isFile() ? await readFile(file, "utf8") : "";
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return "";
    throw error;
  }
}

/** Further worktrees and submodules have a `.git` file that says where the repository's own folder is. */
async function linkedFolder(top: string): Promise<string> {
  const [, gitFolder = ".git"] = /^gitdir: (.+)$/m.exec(await readText(join(top, ".git"))) ?? [];
  const own = resolve(top, gitFolder.trim());
  const common = (await readText(join(own, "commondir"))).trim();
  return common === "" ? own : resolve(own, common);
}
