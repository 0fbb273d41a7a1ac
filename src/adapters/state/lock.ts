import { setTimeout as sleep } from "node:timers/promises";
import { TwelveError } from "../../core/errors.ts";

export interface Lock {
  release(): void;
}

/**
 * Takes the lock that the file stands for; undefined when another process holds it. It is a lock of the operating system,
 * taken through SQLite because Node has none of its own: it ends with its process, however that ends, and needs no process IDs,
 * which mean nothing in another container.
 */
export function tryLock(path: string): Lock | undefined {
  const { DatabaseSync } = loadSqlite();
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA journal_mode = OFF; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    const { errcode } = error as { readonly errcode?: number };
    if (errcode !== undefined && (errcode & 0xff) === sqliteBusy) return undefined;
    throw error;
  }
  return { release: () => database.close() };
}

/** Waits for the lock, does the work, and gives the lock back. Fails as `waitFor` does. */
export async function withLock<Result>(path: string, work: () => Promise<Result>, waiting: Waiting): Promise<Result> {
  const lock = await waitFor(() => tryLock(path), waiting);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

export interface Waiting {
  /** The database's, without credentials, for messages. */
  readonly url: string;
  /** Without it, the wait lasts until the lock is free. */
  readonly limitMs?: number | undefined;
}

const pauseMs = 50;

/** Asks for a lock under which tables are made, again and again until it is free. Fails with SERVICE_TIMEOUT when that is not within the limit. */
export async function waitFor<Held>(take: () => Held | undefined | Promise<Held | undefined>, { url, limitMs = Infinity }: Waiting): Promise<Held> {
  const startedMs = performance.now();
  for (;;) {
    const held = await take();
    if (held !== undefined) return held;
    if (performance.now() - startedMs > limitMs) {
      throw new TwelveError("SERVICE_TIMEOUT", `${url} cannot be prepared: for ${limitMs} ms another process has held the lock under which tables are made`, {
        retry: { afterMs: null },
        fix: "Try again; if that does not help, end the process that hangs: of a Postgres server, the session that `SELECT pid FROM pg_locks WHERE locktype = 'advisory'` names",
      });
    }
    await sleep(pauseMs);
  }
}

const sqliteBusy = 5;

/** SQLite is marked experimental in Node: the warning is for those who choose it, and users of twelve do not. */
function loadSqlite(): typeof import("node:sqlite") {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule("node:sqlite");
  } finally {
    process.emitWarning = emitWarning;
  }
}
