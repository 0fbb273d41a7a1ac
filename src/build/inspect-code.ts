import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { FileFacts } from "../code/read-batch.ts";
import type { Repository } from "../code/repository.ts";
import { declaresDependencies, isLockfile } from "./dependency-plan.ts";
import { findAll } from "./findings-plan.ts";
import type { Finding } from "./schema.ts";

/** What in the repository goes against a factor. Only files that declare dependencies, and their lockfiles, are read for it. */
export async function inspectCode(dir: string, { files, changes }: Repository, facts: readonly FileFacts[]): Promise<readonly Finding[]> {
  const paths = files.filter(({ path, mode }) => mode !== "submodule" && changes.get(path)?.isDeleted !== true).map(({ path }) => path);
  const wanted = paths.filter((path) => declaresDependencies(path) || isLockfile(path));
  const texts = await Promise.all(wanted.map(async (path) => [path, await readFile(join(dir, path), "utf8").catch(() => "")] as const));
  return findAll({ paths: [...new Set(paths)], texts: new Map(texts), facts });
}
