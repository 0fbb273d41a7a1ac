import { randomUUID } from "node:crypto";
import { lstat, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errorCode, withPath } from "./failure.ts";
import { groupedSync } from "./sync.ts";

/** Left-over temporary files are removed when they are this old: no write takes as long. */
const staleMs = 24 * 60 * 60 * 1000;

/** One folder of the store with everything in it on one filesystem: where files are made, completely or not at all. */
export interface Area {
  readonly folder: string;
  /** Makes a folder of the area; when it returns, the folder outlives a power failure. */
  prepare(folder: string): Promise<void>;
  /** A path for a new temporary file. Its name cannot be that of a blob or a ref. */
  temporaryPath(): Promise<string>;
  /** A complete, durable, read-only temporary file, which the caller gives a name or removes. */
  writeTemporary(content: Uint8Array | string): Promise<string>;
  /** Gives a temporary file its name, in place of what has it now; a `sync` of the folder makes that durable. */
  finish(temporary: string, target: string): Promise<void>;
  /** Makes the entries of a folder durable. */
  sync(folder: string): Promise<void>;
}

export function openArea(folder: string): Area {
  const prepared = new Map<string, Promise<void>>();
  const sync = groupedSync();
  const temporaryFolder = join(folder, ".tmp");

  const make = async (wanted: string): Promise<void> => {
    if (wanted !== folder && wanted.startsWith(folder)) await prepare(dirname(wanted));
    if ((await makeFolder(wanted)) === "parent missing") {
      await prepare(dirname(wanted));
      await makeFolder(wanted);
    }
    // Also when the folder was there: the process that made it may not have come to this line yet.
    await sync(dirname(wanted));
    if (wanted === temporaryFolder) await removeStale(wanted);
  };
  const prepare = (wanted: string): Promise<void> => {
    const known = prepared.get(wanted);
    if (known !== undefined) return known;
    const making = make(wanted);
    prepared.set(wanted, making);
    making.catch(() => prepared.delete(wanted));
    return making;
  };
  const temporaryPath = async (): Promise<string> => {
    await prepare(temporaryFolder);
    return join(temporaryFolder, randomUUID());
  };
  return {
    folder,
    prepare,
    temporaryPath,
    sync,
    async writeTemporary(content) {
      const path = await temporaryPath();
      try {
        // The mode holds for later openings only, and leaves out what the user's umask takes away.
        const handle = await open(path, "wx", 0o444);
        try {
          await handle.writeFile(content);
          await handle.sync();
        } finally {
          await handle.close();
        }
      } catch (error) {
        await rm(path, { force: true });
        throw withPath(error, path);
      }
      return path;
    },
    async finish(temporary, target) {
      try {
        await rename(temporary, target);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
  };
}

/** Not with `recursive`, which reports a read-only filesystem as a folder that does not exist. */
async function makeFolder(folder: string): Promise<"there" | "parent missing"> {
  try {
    await mkdir(folder);
    return "there";
  } catch (error) {
    if (errorCode(error) === "EEXIST" && (await stat(folder)).isDirectory()) return "there";
    if (errorCode(error) === "ENOENT" && dirname(folder) !== folder) return "parent missing";
    throw error;
  }
}

async function removeStale(folder: string): Promise<void> {
  const oldest = Date.now() - staleMs;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    // Another process may be cleaning too; and what cannot be removed does no harm.
    const file = await lstat(path).catch(() => undefined);
    if (file !== undefined && file.mtimeMs < oldest) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}
