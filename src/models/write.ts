import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../ports/clock.ts";
import { lockFile, readLock } from "./read.ts";
import type { LockedModel, ModelLock } from "./schema.ts";

/** Puts one model's entry into `twelve.lock`, beside what others wrote meanwhile. Gives whether the file changed. */
export async function lockModel(dir: string, { folder, model, clock }: { readonly folder: string; readonly model: LockedModel; readonly clock: Clock }): Promise<boolean> {
  const lock = await readLock(dir);
  const text = printLock({ ...lock, models: { ...lock.models, [folder]: model } });
  if (text === printLock(lock)) return false;
  const path = join(dir, lockFile);
  const temporary = `${path}.${clock.randomHex(6)}`;
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  return true;
}

/** Sorted, with one field a line: a change shows as such in a diff, and equal locks are equal files. */
export function printLock({ version, models }: ModelLock): string {
  const sorted = sortKeys(models, ({ source, files }) => ({ source, files: sortKeys(files, ({ sha256, size }) => ({ sha256, size })) }));
  return `${JSON.stringify({ version, models: sorted }, null, 2)}\n`;
}

function sortKeys<From, To>(record: Readonly<Record<string, From>>, convert: (value: From) => To): Record<string, To> {
  const entries = Object.entries(record).map(([key, value]) => [key, convert(value)] as const);
  return Object.fromEntries(entries.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}
