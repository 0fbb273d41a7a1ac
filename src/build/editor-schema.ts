import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { manifestJsonSchema } from "../manifest/json-schema.ts";

/** Keeps the JSON Schema that editors check twelve.yaml with as new as the program; the manifest's first line points at it. */
export async function refreshEditorSchema(dir: string, token: string): Promise<void> {
  const path = join(dir, ".twelve", "twelve.schema.json");
  const schema = manifestJsonSchema();
  const current = await readFile(path, "utf8").catch(() => undefined);
  if (current === schema) return;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.${token}`, schema);
  await rename(`${path}.${token}`, path);
}
