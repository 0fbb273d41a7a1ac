import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { StateFolder } from "./folder.ts";
import { isPrivate } from "./private.ts";

/**
 * Notes in the state folder where the server listens: a process that keeps its temporary files elsewhere must find the
 * one server there is. Only the server may call it, for it has the lock.
 */
export async function noteSocket({ note, id, socket }: StateFolder): Promise<void> {
  await rm(`${note}.new`, { force: true });
  await writeFile(`${note}.new`, `${id} ${socket}`, { flag: "wx", mode: 0o600 });
  await rename(`${note}.new`, note);
}

/**
 * Where the folder's server listens if it runs. A note is believed only as far as nobody else can have written it or can
 * come to the socket, and a copied folder's note is about the other folder.
 */
export async function findSocket({ note, id, socket }: StateFolder): Promise<string> {
  if (process.platform === "win32") return socket;
  const text = await readFile(note, "utf8").catch(() => "");
  if (!text.startsWith(`${id} `)) return socket;
  const noted = text.slice(id.length + 1);
  const isBelieved = await Promise.all([isPrivate(note), isPrivate(dirname(noted))]).catch(() => [false]);
  return isBelieved.every(Boolean) ? noted : socket;
}
