import { cp } from "node:fs/promises";
import { join } from "node:path";

/** Copies the sample application with documents into `dir`. */
export async function handbook(dir: string): Promise<string> {
  await cp(join(import.meta.dirname, "../../fixtures/index/handbook"), dir, { recursive: true });
  return dir;
}
