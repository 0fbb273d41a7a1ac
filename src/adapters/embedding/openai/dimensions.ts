import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { digestOf, hexOf } from "../../../core/descriptor.ts";
import type { EmbeddingTarget } from "./reference.ts";

/** By the digest of address and model: an address may hold what should stand in no file. */
const Measured = z.record(z.string(), z.int().positive());
type Measured = z.infer<typeof Measured>;

type Model = Pick<EmbeddingTarget, "url" | "model">;

/** How long the model's vectors were when it was last asked; undefined where it never was, or where that is forgotten. */
export async function recallDimensions(dir: string, model: Model): Promise<number | undefined> {
  return (await read(dir))[keyOf(model)];
}

/** Spares the next run a request. Where nothing can be written, it asks. */
export async function rememberDimensions(dir: string, model: Model, dimensions: number): Promise<void> {
  await write(dir, { ...(await read(dir)), [keyOf(model)]: dimensions });
}

export async function forgetDimensions(dir: string, model: Model): Promise<void> {
  const { [keyOf(model)]: _, ...others } = await read(dir);
  await write(dir, others);
}

function keyOf({ url, model }: Model): string {
  return hexOf(digestOf(JSON.stringify([url, model])));
}

function pathIn(dir: string): string {
  return join(dir, ".twelve", "cache", "dimensions.json");
}

/** Nothing where the file is missing or damaged. */
async function read(dir: string): Promise<Measured> {
  try {
    return Measured.parse(JSON.parse(await readFile(pathIn(dir), "utf8")));
  } catch {
    return {};
  }
}

/** Whole, beside the old one, so that nobody reads half of it. Of two at the same time one is lost, and asks again. */
async function write(dir: string, measured: Measured): Promise<void> {
  const path = pathIn(dir);
  const written = `${path}.${randomUUID()}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(written, JSON.stringify(measured));
    await rename(written, path);
  } catch {
    // A folder that is read-only, or a disk that is full: it is a cache.
  }
}
