import { lstat, realpath } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { TwelveError } from "../core/errors.ts";
import { unusable } from "./unusable.ts";

/**
 * Fails with FOLDER_UNUSABLE where anything on the way from `dir` to `path`, or `path` itself, is a link. A link can be
 * committed, so that a clone's lock and link together would choose which file outside the application is written.
 */
export async function refuseLinks(dir: string, path: string): Promise<void> {
  let current = dir;
  for (const segment of path.split("/")) {
    current = join(current, segment);
    const found = await lstat(current).catch((cause: NodeJS.ErrnoException) => (cause.code === "ENOENT" ? undefined : unusable(current)(cause)));
    if (found === undefined) return;
    if (found.isSymbolicLink()) throw refused(`${current} is a link, and models are not written through links`);
  }
}

/** The last look before a file is written: whatever the names say, its folder must be below the application's. */
export async function refuseOutside(dir: string, path: string): Promise<void> {
  const parent = dirname(join(dir, path));
  const [root, real] = await Promise.all([realpath(dir), realpath(parent)]).catch(unusable(parent));
  if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) throw refused(`${parent} leads out of the application's folder, to ${real}`);
}

function refused(message: string): TwelveError {
  return new TwelveError("FOLDER_UNUSABLE", message, { fix: "Put a folder in its place, or delete it; where the models need another disk, mount it there" });
}
