import { setTimeout as sleep } from "node:timers/promises";

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

/** Waits for the lock, does the work, and gives the lock back. */
export async function withLock<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  for (;;) {
    const lock = tryLock(path);
    if (lock === undefined) {
      await sleep(50);
      continue;
    }
    try {
      return await work();
    } finally {
      lock.release();
    }
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
