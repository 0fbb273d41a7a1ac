import { lstat } from "node:fs/promises";
import { userInfo } from "node:os";

/** Whether the file or folder is this user's and closed to all others. A link is neither. Fails where nothing is there. */
export async function isPrivate(path: string): Promise<boolean> {
  const facts = await lstat(path);
  return !facts.isSymbolicLink() && facts.uid === userInfo().uid && (facts.mode & 0o077) === 0;
}
