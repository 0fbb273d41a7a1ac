import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

/** Folder of the real-world test data, or undefined where it does not lie beside the checkout. */
export const sharedFolder: string | undefined = [process.env["TWELVE_SHARED"], resolve(import.meta.dirname, "../../../shared")]
  .filter((folder) => folder !== undefined)
  .find((folder) => existsSync(join(folder, "data", "README.md")));

/** Why a test that reads the shared data is skipped, as `it.skipIf(...)`'s visible reason in its title. */
export const withoutShared = sharedFolder === undefined;

/** Path inside the shared data folder; only for tests guarded with `withoutShared`. */
export function sharedData(...path: readonly string[]): string {
  return join(sharedFolder ?? "no-shared-data", "data", ...path);
}
