import { copyFile, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TwelveError } from "../core/errors.ts";
import type { Clock } from "../ports/clock.ts";

export interface Placing {
  readonly from: string;
  readonly to: string;
  readonly paths: readonly string[];
  readonly clock: Clock;
}

/** Moves finished files into the model's folder. Each is there whole or not at all; others in the folder are left alone. */
export async function placeFiles({ from, to, paths, clock }: Placing): Promise<void> {
  for (const path of paths) {
    const target = join(to, path);
    await mkdir(dirname(target), { recursive: true }).catch(unusable(target));
    await move(join(from, path), target, clock).catch(unusable(target));
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
      await copyFile(from, beside);
      await rename(beside, to);
    } finally {
      await rm(beside, { force: true });
    }
  }
}

/** Turns what the file system says into FOLDER_UNUSABLE. */
export function unusable(path: string): (cause: unknown) => never {
  return (cause) => {
    const isFull = cause instanceof Error && "code" in cause && cause.code === "ENOSPC";
    throw new TwelveError("FOLDER_UNUSABLE", `${path} cannot be written: ${String(cause)}`, { cause, ...(isFull ? { fix: "Free some space" } : {}) });
  };
}
