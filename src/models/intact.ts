import { createHash, hash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { LockedFile, LockedModel } from "./schema.ts";

/** A file that is not what `twelve.lock` says, and in which way. */
export interface DamagedFile {
  readonly path: string;
  readonly reason: string;
}

/**
 * The files of a model that are missing or differ from the lock. Every file is hashed, unless the note in the cache says
 * that it was intact and the system's own record (inode, size, times) shows no change since: weights are large, and
 * every process that embeds asks.
 */
export async function findDamage(dir: string, folder: string, { files }: LockedModel): Promise<readonly DamagedFile[]> {
  const entries = Object.entries(files);
  // Taken before the files are read, so that a change in between is noticed the next time.
  const note = await noteOf(dir, folder, entries);
  const notePath = join(modelCache(dir, folder), "intact");
  if (note !== undefined && note === (await readFile(notePath, "utf8").catch(() => ""))) return [];
  const damaged: DamagedFile[] = [];
  for (const [path, file] of entries) {
    const reason = await damageOf(join(dir, folder, path), file);
    if (reason !== undefined) damaged.push({ path, reason });
  }
  if (damaged.length === 0 && note !== undefined) await writeNote(notePath, note);
  return damaged;
}

/** Where everything lies that is known or half-fetched of one model. */
export function modelCache(dir: string, folder: string): string {
  return join(dir, cacheBelow(folder));
}

/** The same, below the application's folder and with forward slashes. */
export function cacheBelow(folder: string): string {
  return `.twelve/cache/models/${hash("sha256", folder).slice(0, 16)}`;
}

/** Why the file at `path` is not the locked one; undefined when it is. */
export async function damageOf(path: string, { sha256, size }: LockedFile): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) return "is missing";
  if (found.size !== size) return `has ${found.size} bytes instead of ${size}`;
  const actual = await hashFile(path).catch((error: unknown) => `cannot be read: ${String(error)}`);
  return actual === sha256 ? undefined : `has the SHA-256 ${actual.slice(0, 12)}… instead of ${sha256.slice(0, 12)}…`;
}

export async function hashFile(path: string): Promise<string> {
  const sum = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), sum);
  return sum.digest("hex");
}

/** undefined when a file is missing, which no note can vouch for. */
async function noteOf(dir: string, folder: string, entries: readonly (readonly [string, LockedFile])[]): Promise<string | undefined> {
  const lines = await Promise.all(entries.map(async ([path, { sha256, size }]) => {
    const found = await stat(join(dir, folder, path), { bigint: true }).catch(() => undefined);
    return found && `${path}\0${sha256}\0${size}\0${found.ino}\0${found.size}\0${found.mtimeNs}\0${found.ctimeNs}`;
  }));
  return lines.includes(undefined) ? undefined : hash("sha256", lines.join("\n"));
}

/** The note is a cache: where it cannot be written, as on a read-only disk, the files are hashed again the next time. */
async function writeNote(path: string, note: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, note);
    await rename(temporary, path);
  } catch {
    await rm(temporary, { force: true }).catch(() => {});
  }
}
