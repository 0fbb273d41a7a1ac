import { mkdir, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TwelveError } from "../core/errors.ts";
import type { TextFile } from "./plan.ts";

/** What an empty folder may hold: a fresh clone has a .git, and file managers leave their own traces. */
const harmless = new Set([".git", ".DS_Store"]);

/** Whether the folder exists, after making sure that nothing of it would be overwritten. Fails with FOLDER_NOT_EMPTY. */
export async function checkTarget(target: string): Promise<boolean> {
  let entries: readonly string[];
  try {
    entries = (await readdir(target)).filter((entry) => !harmless.has(entry)).sort();
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return false;
    if (codeOf(cause) === "ENOTDIR") throw new TwelveError("FOLDER_NOT_EMPTY", `${target} is a file`, { cause });
    throw unusable(target, cause);
  }
  if (entries.length === 0) return true;
  const shown = entries.slice(0, 3).join(", ");
  throw new TwelveError("FOLDER_NOT_EMPTY", `${target} is not empty: it holds ${shown}${entries.length > 3 ? ` and ${entries.length - 3} more` : ""}`);
}

export interface NewFolder {
  readonly target: string;
  readonly files: readonly TextFile[];
  /** Name of the folder that holds the files until they are complete. */
  readonly temporaryName: string;
  /** What else is done to the files before they appear at `target`. */
  readonly finish: (folder: string) => Promise<void>;
}

/** Puts the files at `target`, all or none. Fails with FOLDER_NOT_EMPTY or FOLDER_UNUSABLE. */
export async function applyInit({ target, files, temporaryName, finish }: NewFolder): Promise<void> {
  const isThere = await checkTarget(target);
  let madeParent: string | undefined;
  let temporary: string | undefined;
  try {
    if (!isThere) madeParent = await mkdir(dirname(target), { recursive: true });
    // An existing folder keeps its identity, because a shell may stand in it; so its content is prepared inside.
    temporary = join(isThere ? target : dirname(target), temporaryName);
    await mkdir(temporary);
    for (const { path, text } of files) {
      await mkdir(dirname(join(temporary, path)), { recursive: true });
      await writeFile(join(temporary, path), text);
    }
    await finish(temporary);
    await (isThere ? moveInto(temporary, target) : rename(temporary, target));
  } catch (cause) {
    for (const folder of [temporary, madeParent]) {
      if (folder !== undefined) await rm(folder, { recursive: true, force: true }).catch(() => {});
    }
    throw cause instanceof TwelveError || codeOf(cause) === undefined ? cause : unusable(target, cause);
  }
}

async function moveInto(source: string, target: string): Promise<void> {
  const moved: string[] = [];
  try {
    for (const entry of await readdir(source)) {
      await rename(join(source, entry), join(target, entry));
      moved.push(entry);
    }
    await rmdir(source);
  } catch (cause) {
    await Promise.all(moved.map((entry) => rm(join(target, entry), { recursive: true, force: true })));
    throw cause;
  }
}

function unusable(target: string, cause: unknown): TwelveError {
  return new TwelveError("FOLDER_UNUSABLE", `${target} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && "code" in cause ? cause.code : undefined;
}
