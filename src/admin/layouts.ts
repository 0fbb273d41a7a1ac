import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../core/descriptor.ts";
import type { References } from "./references.ts";

export interface Layout {
  /** Below the application's folder. */
  readonly folder: string;
  readonly reason: string;
}

/** Folders that `openIndexData` laid out for indexes that nothing needs, and those that a killed process left half laid out. */
export async function findLayouts(dir: string, { indexes }: References, { nowMs, graceMs }: { readonly nowMs: number; readonly graceMs: number }): Promise<readonly Layout[]> {
  const parent = join(".twelve", "cache", "index");
  const names = await readdir(join(dir, parent)).catch(() => []);
  const found = await Promise.all(names.map(async (name): Promise<Layout | undefined> => {
    const hex = /^([0-9a-f]{64})(\.[0-9a-f]+)?$/.exec(name);
    if (hex === null) return undefined;
    const digest: Digest = `sha256:${hex[1] ?? ""}`;
    const isHalf = hex[2] !== undefined;
    if (!isHalf && indexes.has(digest)) return undefined;
    const { mtimeMs } = await stat(join(dir, parent, name)).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    return nowMs - mtimeMs < graceMs ? undefined : { folder: join(parent, name), reason: isHalf ? "half laid out" : "no activation refers to its index" };
  }));
  return found.filter((layout) => layout !== undefined).toSorted((left, right) => (left.folder < right.folder ? -1 : 1));
}

/** They are copies of what the store holds, and are laid out again where they are needed. */
export async function removeLayouts(dir: string, layouts: readonly Layout[]): Promise<void> {
  for (const { folder } of layouts) await rm(join(dir, folder), { recursive: true, force: true });
}
