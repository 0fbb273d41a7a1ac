import { randomUUID } from "node:crypto";
import { constants, copyFile, link, lstat, open, rename, rm } from "node:fs/promises";
import { TwelveError } from "../../../core/errors.ts";
import { errorCode, reasonOf } from "./failure.ts";

/** Another filesystem, one without hard links, or a file that may not be linked or moved: then the bytes are copied. */
const copyInstead = new Set(["EXDEV", "EPERM", "EACCES", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** Makes `target` of a file that the caller gives up, through `temporary` when it cannot be moved. Durable but for its name. */
export async function moveOrCopy(path: string, target: string, temporary: string): Promise<void> {
  const file = await lstat(path);
  // What other names lead to, links included, is not the caller's to give up: it could still be changed through them.
  if (file.isFile() && file.nlink === 1 && (await isMoved(path, target))) return;
  try {
    await copyFile(path, temporary, constants.COPYFILE_FICLONE);
    await seal(temporary);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function isMoved(path: string, target: string): Promise<boolean> {
  try {
    await seal(path);
    await rename(path, target);
    return true;
  } catch (error) {
    if (copyInstead.has(errorCode(error) ?? "")) return false;
    throw error;
  }
}

/** Bytes on the disk, and nobody may change them. */
async function seal(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.chmod((await handle.stat()).mode & 0o444);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Puts a stored file at `path`, replacing what is there. Fails with FOLDER_UNUSABLE: only `path` can be in the way. */
export async function linkOrCopy(stored: string, path: string): Promise<void> {
  try {
    if (await isLinked(stored, path)) return;
    // Under another name first, so that `path` never holds half a file.
    const partial = `${path}.${randomUUID()}`;
    try {
      await copyFile(stored, partial, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
      await rename(partial, path);
    } finally {
      await rm(partial, { force: true });
    }
  } catch (cause) {
    throw new TwelveError("FOLDER_UNUSABLE", `${path} cannot be written: ${reasonOf(cause)}`, { cause });
  }
}

async function isLinked(stored: string, path: string): Promise<boolean> {
  try {
    await link(stored, path);
    return true;
  } catch (error) {
    const code = errorCode(error) ?? "";
    if (copyInstead.has(code)) return false;
    if (code !== "EEXIST") throw error;
    // Removed, because rename() would do nothing when both names lead to the same file.
    await rm(path);
    return isLinked(stored, path);
  }
}
