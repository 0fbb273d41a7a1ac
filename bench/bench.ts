/**
 * `npm run bench`: every figure of the design beside its budget and what it is compared with, as one table.
 * `npm run bench -- startup size` runs these sections alone, `--json` prints one document, TWELVE_BENCH_SCALE=0.1
 * shrinks the samples. A figure over budget is shown and fails nothing: a busy machine is no reason to stop.
 * The exit code is 1 when a section breaks, 2 for a section that does not exist.
 */
import { type Row, scale } from "./row.ts";

const sections: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  startup: async () => (await import("./startup.ts")).benchStartup(),
  build: async () => (await import("./build.ts")).benchBuild(),
  index: async () => (await import("./index.ts")).benchIndex(),
  retrieval: async () => (await import("./retrieval.ts")).benchRetrieval(),
  run: async () => (await import("./run.ts")).benchRun(),
  killed: async () => (await import("./run/killed.ts")).benchKilled(),
  eval: async () => (await import("./eval.ts")).benchEval(),
  size: async () => (await import("./size.ts")).benchSize(),
};

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const isJson = args.includes("--json");
  const wanted = args.filter((arg) => arg !== "--json");
  const unknown = wanted.find((name) => !Object.hasOwn(sections, name));
  if (unknown !== undefined) {
    process.stderr.write(`There is no section ${unknown}. Sections: ${Object.keys(sections).join(", ")}\n`);
    return 2;
  }
  const rows: (Row & { readonly section: string })[] = [];
  const broken: { readonly section: string; readonly error: string }[] = [];
  for (const [section, bench] of Object.entries(sections)) {
    if (wanted.length > 0 && !wanted.includes(section)) continue;
    process.stderr.write(`${section} ...\n`);
    try {
      rows.push(...(await bench()).map((row) => ({ ...row, section })));
    } catch (cause) {
      broken.push({ section, error: cause instanceof Error ? cause.message : String(cause) });
    }
  }
  process.stdout.write(isJson ? `${JSON.stringify({ scale, rows, broken }, null, 2)}\n` : `${table(rows)}\n`);
  for (const { section, error } of broken) process.stderr.write(`The section ${section} broke: ${error}\n`);
  return broken.length === 0 ? 0 : 1;
}

function table(rows: readonly Row[]): string {
  const head = ["name", "measured", "baseline", "ratio", "budget", "ok"];
  const cells = rows.map(({ name, measured, baseline, ratio, budget, isWithin }) => [
    name, measured, baseline, ratio === null ? "" : `${ratio.toFixed(2)}x`, budget, isWithin ? "yes" : "NO",
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  return [head, ...cells].map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()).join("\n");
}
