/** How long `--version` and `--help` take, beside a node that does nothing. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { median, type Row, scaled } from "./row.ts";

const binary = join(import.meta.dirname, "../bin/twelve.js");
const commands = [
  { name: "twelve --version", args: [binary, "--version"], most: 1.5 },
  { name: "twelve --help", args: [binary, "--help"], most: 2 },
] as const;
const bare = ["-e", "0"] as const;

/** Ours and the baseline take turns, so that a busy moment of the machine hits both. */
export async function benchStartup(rounds: number = scaled(21, 5)): Promise<readonly Row[]> {
  for (const args of [bare, ...commands.map((command) => command.args)]) time(args); // fills the caches of disk and compiler
  const baseline: number[] = [];
  const ours = commands.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    baseline.push(time(bare));
    for (const [i, { args }] of commands.entries()) ours[i]?.push(time(args));
  }
  const bareMs = median(baseline);
  return Promise.resolve(commands.map(({ name, most }, i) => {
    const ms = median(ours[i] ?? []);
    return { name, measured: `${ms.toFixed(1)} ms`, baseline: `node -e 0: ${bareMs.toFixed(1)} ms`, ratio: ms / bareMs, budget: `<= ${most}x`, isWithin: ms <= most * bareMs };
  }));
}

function time(args: readonly string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
  if (status !== 0) throw new Error(`node ${args.join(" ")} ended with ${String(status)}: ${stderr}`);
  return performance.now() - start;
}
