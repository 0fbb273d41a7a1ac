import { existsSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { type Server, createServer } from "node:net";
import { join } from "node:path";
import { type StateFolder, openStateFolder } from "./folder.ts";
import { tryLock } from "./lock.ts";
import { noteSocket } from "./note.ts";
import { shareBackend } from "./share.ts";

const patienceMs = 30_000;
const lookMs = 1000;

/**
 * Serves the folder's database on its socket until nobody has used it for `idleMs`. Gives false at once when another
 * server has the folder: no two ever open the same data. Throws when the database cannot be opened or breaks.
 */
export async function serveState(path: string, idleMs: number, signal: AbortSignal): Promise<boolean> {
  const folder = await openStateFolder(`pglite:${path}`, path);
  const lock = tryLock(folder.lock);
  if (lock === undefined) return false;
  // For whoever wants to end it; nothing of ours trusts it.
  await writeFile(join(folder.path, "server.pid"), String(process.pid), { mode: 0o600 });
  const database = await openDatabase(folder);
  const { promise: broken, reject: onFailure } = Promise.withResolvers<never>();
  const shared = shareBackend((messages) => database.execProtocolRaw(messages), { patienceMs, onFailure });
  // Left behind by a server that was killed: the lock says that it is gone.
  await removeSocket(folder);
  const server = createServer((socket) => shared.serve(socket));
  await listen(server, folder.socket);
  await noteSocket(folder);
  try {
    await Promise.race([broken, untilUnused(folder, shared.clients, idleMs, signal)]);
  } finally {
    server.close();
    await removeSocket(folder);
  }
  await database.close();
  lock.release();
  return true;
}

/** The first start makes the database beside its place, so that a start that is killed leaves no half of one. */
async function openDatabase({ data }: StateFolder): Promise<import("@electric-sql/pglite").PGlite> {
  const [{ PGlite }, { vector }] = await Promise.all([import("@electric-sql/pglite"), import("@electric-sql/pglite-pgvector")]);
  if (!existsSync(data)) {
    await rm(`${data}.new`, { recursive: true, force: true });
    const made = await PGlite.create(`${data}.new`);
    await made.close();
    await rename(`${data}.new`, data);
  }
  // Offered to whoever creates it; a database that has it opens with nothing less.
  return PGlite.create(data, { extensions: { vector } });
}

/** A pipe of Windows is no file: it ends with its server. */
async function removeSocket({ socket }: StateFolder): Promise<void> {
  if (process.platform !== "win32") await rm(socket, { force: true });
}

function listen(server: Server, socket: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(socket, resolve);
  return promise;
}

async function untilUnused(folder: StateFolder, clients: () => number, idleMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let usedMs = performance.now();
  const timer = setInterval(() => {
    if (clients() > 0) usedMs = performance.now();
    // A folder that was deleted will never be asked for again.
    if (performance.now() - usedMs >= idleMs || !existsSync(folder.data)) resolve();
  }, Math.min(lookMs, idleMs));
  signal.addEventListener("abort", () => resolve());
  await promise;
  clearInterval(timer);
}
