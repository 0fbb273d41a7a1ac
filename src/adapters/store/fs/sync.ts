import { open } from "node:fs/promises";

/**
 * Gives a function that syncs folders. Writers who ask while a sync of the same folder runs share the next one:
 * the running one may have begun before their entry was made.
 */
export function groupedSync(): (folder: string) => Promise<void> {
  const running = new Map<string, Promise<void>>();
  const next = new Map<string, Promise<void>>();

  const start = (folder: string): Promise<void> => {
    const sync = syncFolder(folder).finally(() => running.delete(folder));
    running.set(folder, sync);
    return sync;
  };
  return (folder) => {
    const current = running.get(folder);
    if (current === undefined) return start(folder);
    const planned = next.get(folder);
    if (planned !== undefined) return planned;
    const following = current.catch(() => {}).then(() => {
      next.delete(folder);
      return start(folder);
    });
    next.set(folder, following);
    return following;
  };
}

async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders, and keeps their entries safe itself.
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
