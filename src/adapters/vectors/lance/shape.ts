import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/** The release of LanceDB this adapter is written for; a test holds it to the installed one. */
export const lanceVersion = "0.39.0";
/** Raised whenever the table is laid out differently: an older index is then written anew. */
const layoutVersion = 2;
export const formatVersion = `${lanceVersion}+${layoutVersion}`;

export const tableName = "chunks";
export const shapeName = "shape.json";

/** What opening an index needs to know of it, kept beside the engine's files because asking the table would read whole columns. */
const Shape = z.strictObject({
  layout: z.literal(layoutVersion),
  dimensions: z.int().positive(),
  /** How many chunks stand in each content column; columns without any are left out. */
  fields: z.record(z.string(), z.int().positive()),
  /** Of the vector index; null where every vector is compared. */
  partitions: z.int().positive().nullable(),
});
export type Shape = z.infer<typeof Shape>;

export function chunksOf({ fields }: Pick<Shape, "fields">): number {
  return Object.values(fields).reduce((sum, count) => sum + count, 0);
}

export const shapePath = (folder: string): string => join(folder, shapeName);

export function printShape(shape: Omit<Shape, "layout">): string {
  return JSON.stringify({ layout: layoutVersion, ...shape });
}

/** undefined for a folder that this layout did not write. */
export async function readShape(folder: string): Promise<Shape | undefined> {
  return parseShape(await readFile(shapePath(folder), "utf8").catch(() => ""));
}

/** undefined for a text that this layout did not write. */
export function parseShape(text: string): Shape | undefined {
  try {
    return Shape.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
