/** How long `twelve index` takes for 5,000 documents: the first time, with nothing changed, and with one in a hundred changed. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Row, scaled } from "./row.ts";

const run = promisify(execFile);
const binary = join(import.meta.dirname, "../bin/twelve.js");
/** What any indexer has to do: read each file and hash it. */
const bareRead = 'const fs = require("node:fs"), c = require("node:crypto"); for (const f of fs.readdirSync("docs")) c.hash("sha256", fs.readFileSync("docs/" + f))';

export async function benchIndex({ documents = scaled(5000) } = {}): Promise<readonly Row[]> {
  const dir = await mkdtemp(join(tmpdir(), "twelve-bench-index-"));
  try {
    await mkdir(join(dir, "docs"));
    await writeFile(join(dir, "twelve.yaml"), "name: bench\nindexes:\n  docs: { source: [docs] }\n");
    await Promise.all(Array.from({ length: documents }, (_, i) => writeDocument(dir, i, "first")));
    const bareMs = await timed(["-e", bareRead], dir);
    const firstMs = await timed([binary, "index", "--quiet"], dir);
    const againMs = await timed([binary, "index", "--quiet"], dir);
    await Promise.all(Array.from({ length: documents / 100 }, (_, i) => writeDocument(dir, i * 100, "second")));
    const changedMs = await timed([binary, "index", "--quiet"], dir);
    const name = `index: ${documents} documents`;
    return [row(`${name}, first`, firstMs, bareMs, 2500), row(`${name}, no change`, againMs, bareMs, 600), row(`${name}, 1% changed`, changedMs, bareMs, 900)];
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** About 1 KB of words that no other document has in this order. */
async function writeDocument(dir: string, number: number, edition: string): Promise<void> {
  const words = (seed: number): string => Array.from({ length: 60 }, (_, i) => `word${(seed * 7919 + i * 104_729) % 5003}`).join(" ");
  const text = `# Document ${number}\n\nThe ${edition} edition. ${words(number)}.\n\n## Details\n\n- ${words(number + 1).slice(0, 200)}\n- ${words(number + 2).slice(0, 200)}\n`;
  await writeFile(join(dir, "docs", `${String(number).padStart(5, "0")}.md`), text);
}

async function timed(args: readonly string[], cwd: string): Promise<number> {
  const startMs = performance.now();
  await run(process.execPath, args, { cwd });
  return performance.now() - startMs;
}

function row(name: string, measuredMs: number, bareMs: number, budgetMs: number): Row {
  const show = (value: number): string => `${Math.round(value)} ms`;
  return { name, measured: show(measuredMs), baseline: `${show(bareMs)} (read and hash each file)`, ratio: measuredMs / bareMs, budget: `<= ${show(budgetMs)}`, isWithin: measuredMs <= budgetMs };
}
