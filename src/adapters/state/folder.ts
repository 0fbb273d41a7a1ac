import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import { TwelveError } from "../../core/errors.ts";
import { hasCredentials, withoutCredentials } from "../../core/url.ts";
import { isPrivate } from "./private.ts";

/** Where an embedded database keeps its things. Only the user who made the folder can read it. */
export interface StateFolder {
  readonly path: string;
  /** The database itself. */
  readonly data: string;
  /** Held by the one server there is. */
  readonly lock: string;
  /** Held while tables are made. */
  readonly migrationLock: string;
  /** What servers had to say that could not start or broke. */
  readonly log: string;
  /** A name that no other folder has; a folder that is deleted and made again gets another. */
  readonly id: string;
  /** Where a server that this process starts listens. */
  readonly socket: string;
  /** Says where the server that runs listens. */
  readonly note: string;
}

/** Makes the folder that `pglite:<folder>` names, unless it is there. Fails with FOLDER_UNUSABLE. */
export async function openStateFolder(reference: string, dir: string): Promise<StateFolder> {
  const named = reference.slice("pglite:".length);
  if (named === "") throw new TwelveError("CONFIG_INVALID", "pglite: names no folder", { fix: "Set STATE_URL to a folder, such as `pglite:.twelve/state`" });
  if (hasCredentials(reference)) throw new TwelveError("CONFIG_INVALID", `${withoutCredentials(reference)} holds credentials, and pglite: names a folder`, { fix: "Write pglite:<folder>, or postgres://user:password@host/database for a server" });
  const path = resolve(dir, named);
  try {
    await makeFolder(path);
    const id = await identify(path);
    const socket = join(await socketFolder(), `${id}.sock`);
    return { path, data: join(path, "data"), lock: join(path, "server.lock"), migrationLock: join(path, "migration.lock"), log: join(path, "server.log"), id, socket, note: join(path, "server.socket") };
  } catch (cause) {
    if (cause instanceof TwelveError) throw cause;
    throw new TwelveError("FOLDER_UNUSABLE", `The state folder ${path} cannot be used: ${(cause as Error).message}`, { cause });
  }
}

/** With those above it. Node's own way tries for ever where a file system refuses new folders with ENOENT, as /proc does. */
async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  await mkdir(path, { mode: 0o700 }).catch(async (cause: Error) => {
    if (!(await isFolder(path))) throw cause;
  });
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then((facts) => facts.isDirectory(), () => false);
}

/** The same for every path that leads to the folder; another for a copy of it. */
async function identify(path: string): Promise<string> {
  const file = join(path, "id");
  await writeFile(file, randomBytes(16).toString("hex"), { flag: "wx", mode: 0o600 }).catch(({ code }: NodeJS.ErrnoException) => {
    if (code !== "EEXIST") throw new Error(`${file} cannot be written (${code})`);
  });
  const { dev, ino } = await stat(path, { bigint: true });
  return createHash("sha256").update(`${await readFile(file, "utf8")} ${dev} ${ino}`).digest("hex").slice(0, 24);
}

/**
 * A socket's path has at most 104 bytes, so it cannot always lie in the state folder. Whoever can enter the socket's folder
 * is let into the database, so nobody else may.
 */
async function socketFolder(): Promise<string> {
  if (process.platform === "win32") return String.raw`\\.\pipe\twelve`;
  const { uid } = userInfo();
  const folder = join(tmpdir(), `twelve-${uid}`);
  await mkdir(folder, { mode: 0o700 }).catch(({ code }: NodeJS.ErrnoException) => {
    if (code !== "EEXIST") throw new Error(`${folder} cannot be made (${code})`);
  });
  if ((await isFolder(folder)) && (await isPrivate(folder))) return folder;
  throw new TwelveError("FOLDER_UNUSABLE", `${folder} is open to other users, or belongs to one of them`, { fix: `Delete ${folder}, or set TMPDIR to a folder of your own` });
}
