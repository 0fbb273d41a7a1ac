import { readdir, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import type { Descriptor } from "../core/descriptor.ts";
import type { Store } from "../ports/store.ts";
import type { IndexData } from "./schema.ts";

const engineFileMediaType = "application/vnd.twelve.engine-file.v1";
const writersAtOnce = 8;

/** The laid-out files of an older index that a new one was written on. */
export interface EngineBase {
  readonly folder: string;
  readonly files: IndexData["files"];
}

/** Stores every file in the folder, by path. A file that is still the base's own (a link to it) is in the store already. */
export async function storeFiles(store: Store, folder: string, base: EngineBase | undefined): Promise<IndexData["files"]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1).split(sep).join("/"));
  const known = new Map(base?.files.map(({ path, blob }) => [path, blob]));
  const files: { path: string; blob: Descriptor }[] = [];
  const queue = paths.values();
  await Promise.all(Array.from({ length: writersAtOnce }, async () => {
    for (const path of queue) {
      const older = known.get(path);
      const isShared = older !== undefined && base !== undefined && (await isSameFile(join(folder, path), join(base.folder, path))) && (await store.blobs.has(older.digest));
      files.push({ path, blob: isShared ? older : await store.blobs.writeFile(join(folder, path), engineFileMediaType) });
    }
  }));
  return files.sort((left, right) => (left.path < right.path ? -1 : 1));
}

/** Links to one file. Device numbers count too: inode numbers repeat from disk to disk. */
async function isSameFile(left: string, right: string): Promise<boolean> {
  const [one, other] = await Promise.all([left, right].map((path) => stat(path, { bigint: true }).catch(() => undefined)));
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev;
}
