import { access } from "node:fs/promises";
import { join } from "node:path";
import { TwelveError } from "../../core/errors.ts";
import { findDamage } from "../../models/intact.ts";
import { usualFiles } from "../../models/plan.ts";
import { findLockedModel, lockFile, readLock } from "../../models/read.ts";
import type { LockedModel } from "../../models/schema.ts";

/**
 * What twelve.lock says of the model in a folder, once its files are found to be just those. Fails with MODEL_DAMAGED, or with
 * MODEL_UNPINNED for a file that the library would read although nothing pins it.
 */
export async function readPinned(dir: string, folder: string): Promise<LockedModel> {
  const locked = findLockedModel(await readLock(dir), folder);
  const damaged = await findDamage(dir, folder, locked);
  if (damaged.length > 0) {
    throw new TwelveError("MODEL_DAMAGED", `The model in ${folder} is not the one that ${lockFile} names`, {
      problems: damaged.map(({ path, reason }) => ({ file: `${folder}/${path}`, message: reason })),
      fix: `Run \`twelve models pull ${folder}\`; if the files are right and the lock is old, \`twelve models pull ${folder} --update\``,
    });
  }
  for (const path of usualFiles.filter((path) => !Object.hasOwn(locked.files, path))) {
    if (!(await access(join(dir, folder, path)).then(() => true, () => false))) continue;
    throw new TwelveError("MODEL_UNPINNED", `${folder}/${path} would be used with the model, but ${lockFile} does not name it`, {
      fix: `Delete it, or pin it with \`twelve models pull ${folder} --update --file ${path}\``,
    });
  }
  return locked;
}
