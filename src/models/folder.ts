import { constants, copyFile, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "../ports/clock.ts";
import { refuseLinks, refuseOutside } from "./guard.ts";
import { unusable } from "./unusable.ts";

export interface Placing {
  readonly from: string;
  /** The application's folder: nothing is written outside of it. */
  readonly dir: string;
  /** The model's folder below it. */
  readonly folder: string;
  readonly paths: readonly string[];
  readonly clock: Clock;
}

/** Moves finished files into the model's folder. Each is there whole or not at all; others in the folder are left alone. */
export async function placeFiles({ from, dir, folder, paths, clock }: Placing): Promise<void> {
  for (const path of paths) {
    const below = `${folder}/${path}`;
    const target = join(dir, below);
    await refuseLinks(dir, below);
    await mkdir(dirname(target), { recursive: true }).catch(unusable(target));
    await refuseOutside(dir, below);
    await move(join(from, path), target, clock).catch(unusable(target));
  }
}

/** Removes files that the model no longer has. */
export async function removeFiles({ dir, folder, paths }: Pick<Placing, "dir" | "folder" | "paths">): Promise<void> {
  for (const path of paths) {
    const below = `${folder}/${path}`;
    await refuseLinks(dir, below);
    await rm(join(dir, below), { force: true }).catch(unusable(join(dir, below)));
  }
}

async function move(from: string, to: string, clock: Clock): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    // The model's folder may be a disk of its own.
    if (!(error instanceof Error) || !("code" in error) || error.code !== "EXDEV") throw error;
    const beside = `${to}.${clock.randomHex(6)}`;
    try {
      await copyFile(from, beside, constants.COPYFILE_EXCL);
      await rename(beside, to);
    } finally {
      await rm(beside, { force: true });
    }
  }
}
