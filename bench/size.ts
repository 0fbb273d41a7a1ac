/** How much disk `npm install` of the packed package takes, in a folder that holds nothing else. */
import { execFile } from "node:child_process";
import { lstat, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Row } from "./row.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");
const budgetMb = 350;
const bytesPerMb = 1024 * 1024;

export async function benchSize(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "twelve-bench-size-"));
  try {
    // The bundle is there already: `npm run bench` has made it.
    const { stdout } = await run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], { cwd: root });
    const [packed] = JSON.parse(stdout) as readonly { readonly filename: string; readonly size: number }[];
    if (packed === undefined) throw new Error("npm pack made no package");
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "empty", version: "1.0.0", private: true }));
    await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", join(folder, packed.filename)], { cwd: folder });
    const installedMb = (await diskBytes(join(folder, "node_modules"))) / bytesPerMb;
    return [{
      name: "installed size",
      measured: `${installedMb.toFixed(0)} MB`,
      baseline: `tarball: ${(packed.size / bytesPerMb).toFixed(1)} MB`,
      ratio: null,
      budget: `<= ${budgetMb} MB`,
      isWithin: installedMb <= budgetMb,
    }];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What `du` counts: the blocks that files take, which is more than the sum of their lengths. */
async function diskBytes(path: string): Promise<number> {
  const stats = await lstat(path);
  const own = stats.blocks * 512;
  if (!stats.isDirectory()) return own;
  const inner = await Promise.all((await readdir(path)).map((name) => diskBytes(join(path, name))));
  return inner.reduce((sum, bytes) => sum + bytes, own);
}
