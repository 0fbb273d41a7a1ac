import { createHash, hash, randomBytes } from "node:crypto";
import { type BigIntStats, closeSync, constants, lstatSync, openSync, readFileSync, readlinkSync, readSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../core/descriptor.ts";
import type { CodeFile } from "./schema.ts";

type Files = ReadonlyMap<string, CodeFile>;

/**
 * The files of a laid-out folder that are missing or are not what the tree says. Every file is hashed, unless the note
 * beside the folder says that it was intact and the system's own record (inode, size, change time) shows no change since.
 */
export function damagedFiles(folder: string, files: Files): Files {
  const isFolder = folderChecks(folder);
  const states = [...files.values()].map((file) => ({ file, stat: isFolder(file.path) ? lstatSync(join(folder, file.path), { throwIfNoEntry: false, bigint: true }) : undefined }));
  // Taken before the files are read, so that a change in between is noticed the next time.
  const note = noteOf(states);
  if (note !== undefined && note === readNote(folder)) return new Map();
  const damaged = states.filter(({ file, stat }) => stat === undefined || !isIntact(folder, file, stat)).map(({ file }) => file);
  if (damaged.length === 0 && note !== undefined) writeNote(folder, note);
  return new Map(damaged.map((file) => [file.path, file]));
}

/** The note is a cache: where it cannot be written, as on a read-only disk, the files are hashed again the next time. */
function writeNote(folder: string, note: string): void {
  const temporary = `${notePath(folder)}.${randomBytes(6).toString("hex")}`;
  try {
    writeFileSync(temporary, note);
    renameSync(temporary, notePath(folder));
  } catch {
    rmSync(temporary, { force: true });
  }
}

interface FileState {
  readonly file: CodeFile;
  readonly stat: BigIntStats | undefined;
}

/** undefined when a file is missing, which no note can vouch for. */
function noteOf(states: readonly FileState[]): string | undefined {
  const lines = states.map(({ file, stat }) => stat && `${file.path}\0${file.digest}\0${file.mode}\0${stat.ino}\0${stat.mode}\0${stat.size}\0${stat.mtimeNs}\0${stat.ctimeNs}`);
  return lines.includes(undefined) ? undefined : hash("sha256", lines.join("\n"));
}

function readNote(folder: string): string | undefined {
  try {
    return readFileSync(notePath(folder), "utf8");
  } catch {
    return "";
  }
}

function notePath(folder: string): string {
  return `${folder}.intact`;
}

/** Whether everything on the way to a path is a folder of its own; nothing is looked at twice. */
function folderChecks(folder: string): (path: string) => boolean {
  const known = new Map<string, boolean>();
  const isFolder = (path: string): boolean => {
    const end = path.lastIndexOf("/");
    if (end === -1) return true;
    const parent = path.slice(0, end);
    const answer = known.get(parent) ?? (isFolder(parent) && lstatSync(join(folder, parent), { throwIfNoEntry: false })?.isDirectory() === true);
    known.set(parent, answer);
    return answer;
  };
  return isFolder;
}

function isIntact(folder: string, { path, mode, size, digest }: CodeFile, stat: BigIntStats): boolean {
  if (mode === "symlink") return stat.isSymbolicLink() && digestOf(readlinkSync(join(folder, path))) === digest;
  if (!stat.isFile() || stat.size !== BigInt(size)) return false;
  const isExecutable = (stat.mode & 0o100n) !== 0n;
  if (process.platform !== "win32" && isExecutable !== (mode === "executable")) return false;
  return digestOfFile(join(folder, path)) === digest;
}

const chunk = Buffer.allocUnsafeSlow(1 << 20);

function digestOfFile(path: string): string {
  const file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    const hash = createHash("sha256");
    for (let count = readSync(file, chunk); count > 0; count = readSync(file, chunk)) hash.update(chunk.subarray(0, count));
    return `sha256:${hash.digest("hex")}`;
  } finally {
    closeSync(file);
  }
}
