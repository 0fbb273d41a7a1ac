/** How long `twelve build` takes for 20,000 files and 1 GiB, against one read and one durable write of the same bytes. */
import { execFile } from "node:child_process";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Row, scale } from "./row.ts";

const run = promisify(execFile);
const binary = join(import.meta.dirname, "../bin/twelve.js");

/** Rounds of one read, one plain durable write and the three builds, next to each other; the fastest of each counts. */
export async function benchBuild({ rounds = 3, fileCount = Math.round(20_000 * scale), sizeBytes = Math.round(1024 ** 3 * scale) } = {}): Promise<readonly Row[]> {
  const dir = await mkdtemp(join(tmpdir(), "twelve-bench-build-"));
  try {
    const paths = await makeApp(dir, fileCount, Math.floor(sizeBytes / fileCount));
    const times = { read: Infinity, write: Infinity, first: Infinity, same: Infinity, changed: Infinity };
    const keep = (name: keyof typeof times, seconds: number): void => {
      times[name] = Math.min(times[name], seconds);
    };
    for (let round = 0; round < rounds; round++) {
      rmSync(join(dir, ".twelve"), { recursive: true, force: true });
      keep("read", await seconds(() => readAll(dir, paths)));
      keep("write", await seconds(() => writeAll(dir, sizeBytes)));
      keep("first", await seconds(() => build(dir)));
      keep("same", await seconds(() => build(dir)));
      for (let index = round; index < paths.length; index += 100) writeFileSync(join(dir, paths[index] ?? ""), `// changed in round ${round}\n`, { flag: "a" });
      keep("changed", await seconds(() => build(dir)));
    }
    const size = `${fileCount.toLocaleString("en")} files, ${(sizeBytes / 1024 ** 2).toFixed(0)} MiB`;
    return [
      row(`build, ${size}, first`, times.first, "one read", times.read, "<= 3x one read", times.first <= 3 * times.read),
      row("  the same against the disk", times.first, "one durable write", times.write, "no budget", true),
      row("build, no change", times.same, "one read", times.read, "<= 0.3 s", times.same <= 0.3),
      row("build, 1% changed", times.changed, "one read", times.read, "<= 0.5 s", times.changed <= 0.5),
    ];
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function row(name: string, measured: number, what: string, baseline: number, budget: string, isWithin: boolean): Row {
  return { name, measured: `${measured.toFixed(2)} s`, baseline: `${what}: ${baseline.toFixed(2)} s`, ratio: measured / baseline, budget, isWithin };
}

async function makeApp(dir: string, fileCount: number, fileBytes: number): Promise<readonly string[]> {
  // Lines like those of source code, different in each file, so that no file is another one's twin.
  const lines = Array.from({ length: 4096 }, (_, index) => `export const value${(index * 7919) % 10_007} = read("setting-${index}", ${index % 97}); // why it is so\n`);
  const text = lines.join("");
  const paths = Array.from({ length: fileCount }, (_, index) => `src/module-${index % 200}/file-${index}.ts`);
  for (const [index, path] of paths.entries()) {
    mkdirSync(join(dir, path, ".."), { recursive: true });
    const head = `// file ${index}\n`;
    const start = (index * 104_729) % Math.max(1, text.length - fileBytes);
    writeFileSync(join(dir, path), head + text.slice(start, start + fileBytes - head.length));
  }
  writeFileSync(join(dir, "twelve.yaml"), "name: bench\nagents: { support: { prompt: answer, model: \"mock:echo\" } }\n");
  writeFileSync(join(dir, ".gitignore"), ".twelve/\nscratch.bin\n");
  mkdirSync(join(dir, "prompts"));
  writeFileSync(join(dir, "prompts/answer.prompt"), "---\ninput: { schema: { question: string } }\n---\n{{question}}\n");
  const identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.com"];
  for (const args of [["init", "--quiet"], ["-c", "core.compression=0", "add", "--all"], [...identity, "commit", "--quiet", "--message", "First version"]]) {
    await run("git", args, { cwd: dir });
  }
  return paths;
}

function readAll(dir: string, paths: readonly string[]): void {
  for (const path of paths) readFileSync(join(dir, path));
}

/** What the disk needs for the same number of bytes in one file, without anything else. */
function writeAll(dir: string, sizeBytes: number): void {
  const path = join(dir, "scratch.bin");
  const piece = Buffer.alloc(32 << 20, 1);
  const file = openSync(path, "w");
  for (let left = sizeBytes; left > 0; left -= piece.length) writeSync(file, piece, 0, Math.min(left, piece.length));
  fsyncSync(file);
  closeSync(file);
  rmSync(path);
}

/** Lets the disk finish what was written before, so that a build waits only for its own bytes. */
async function settle(): Promise<void> {
  if (process.platform !== "win32") await run("sync", []);
}

async function build(dir: string): Promise<void> {
  await run(process.execPath, [binary, "--dir", dir, "--quiet", "build"], { cwd: dir, env: { ...process.env, NODE_NO_WARNINGS: "1" } });
}

async function seconds(work: () => void | Promise<void>): Promise<number> {
  await settle();
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
