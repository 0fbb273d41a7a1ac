import { TwelveError } from "../core/errors.ts";
import type { Facts, FactsCache } from "./cache.ts";
import type { Git } from "./git.ts";
import type { FileFacts } from "./read-batch.ts";
import { readStatus } from "./repository.ts";
import type { SelectedFile } from "./select-plan.ts";

/**
 * Fails with CODE_CHANGED when a file that git called unchanged before it was read is changed now: what was read may be
 * neither the commit's content nor the file's, and must not be remembered as the commit's.
 */
export async function assertUnchanged(git: Git, files: readonly SelectedFile[]): Promise<void> {
  const { changes } = await readStatus(git);
  const changed = files.find(({ path, oid }) => oid !== undefined && changes.get(path)?.isOnDisk === true);
  if (changed !== undefined) throw new TwelveError("CODE_CHANGED", `${changed.path} changed while the code was packaged`);
}

/** The cache after a build: what the files of now have, and as much again of what earlier builds knew, for switched branches. */
export function nextCache(cache: FactsCache, files: readonly SelectedFile[], facts: readonly FileFacts[]): FactsCache {
  const byPath = new Map(facts.map((file) => [file.path, file]));
  const next = new Map<string, Facts>();
  for (const { path, mode, oid } of files) {
    const file = byPath.get(path);
    if (oid === undefined || mode === "symlink" || file === undefined) continue;
    next.set(oid, { digest: file.digest, size: file.size, marks: file.marks });
  }
  const limit = 2 * next.size + 1000;
  for (const [oid, known] of cache) if (next.size < limit && !next.has(oid)) next.set(oid, known);
  return next;
}
