/** How soon `twelve run` answers, and how much memory it takes, with an embedded index. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Row } from "./row.ts";

const run = promisify(execFile);
const binary = join(import.meta.dirname, "../bin/twelve.js");
const bareServer = 'const s = require("node:http").createServer((q, r) => r.end()).listen(0, "127.0.0.1", () => console.log(JSON.stringify({ url: "http://127.0.0.1:" + s.address().port })))';

const readyBudgetMs = 400;
const idleBudgetMb = 200;
const loadedBudgetMb = 350;

/** The template `rag`, released; then `starts` starts of its server, each beside one of a bare node:http server. */
export async function benchRun({ starts = 9, requests = 3000, atOnce = 50 } = {}): Promise<readonly Row[]> {
  const parent = await mkdtemp(join(tmpdir(), "twelve-bench-run-"));
  try {
    const dir = await releasedApp(parent);
    const ours: number[] = [];
    const bare: number[] = [];
    const idleMb: number[] = [];
    for (let round = 0; round < starts; round++) {
      const server = await start([binary, "run", "--env", "staging", "--port", "0", "--quiet"], dir);
      ours.push(server.readyMs);
      idleMb.push(await residentMb(server.child));
      await stop(server.child);
      const plain = await start(["-e", bareServer], dir);
      bare.push(plain.readyMs);
      await stop(plain.child);
    }
    const server = await start([binary, "run", "--env", "staging", "--port", "0", "--quiet"], dir);
    const bareMb = await measureBare(dir);
    await load(server.url, requests, atOnce);
    const loadedMb = await residentMb(server.child);
    await stop(server.child);

    const [readyMs, bareMs, restingMb] = [median(ours), median(bare), median(idleMb)];
    return [
      row("run: ready, whole process", [readyMs, bareMs, readyBudgetMs], "ms"),
      row("run: resident, idle", [restingMb, bareMb, idleBudgetMb], "MB"),
      row(`run: resident, after ${requests} requests`, [loadedMb, bareMb, loadedBudgetMb], "MB"),
    ];
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

function row(name: string, [measured, baseline, budget]: readonly [number, number, number], unit: string): Row {
  const show = (value: number): string => `${Math.round(value)} ${unit}`;
  return { name, measured: show(measured), baseline: `${show(baseline)} (bare node:http)`, ratio: measured / baseline, budget: `<= ${show(budget)}`, isWithin: measured <= budget };
}

async function releasedApp(parent: string): Promise<string> {
  const dir = join(parent, "app");
  const twelve = (cwd: string, ...args: string[]): Promise<unknown> => run(process.execPath, [binary, ...args], { cwd });
  await twelve(parent, "init", "app", "--template", "rag");
  await twelve(dir, "build");
  await twelve(dir, "index");
  await twelve(dir, "release", "--env", "staging", "--allow-dirty");
  return dir;
}

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly readyMs: number;
}

/** From the start of the process to its first line on stdout, which says where it listens. */
function start(args: readonly string[], cwd: string): Promise<Started> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const child = spawn(process.execPath, args, { cwd, stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.once("exit", (exitCode) => reject(new Error(`${args.join(" ")} ended with ${exitCode}`)));
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      const isFirst = !text.includes("\n");
      text += part;
      if (!isFirst || !text.includes("\n")) return;
      const { url } = JSON.parse(text.slice(0, text.indexOf("\n"))) as { readonly url: string };
      resolve({ child, url, readyMs: performance.now() - startedMs });
    });
  });
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });
}

async function measureBare(dir: string): Promise<number> {
  const { child } = await start(["-e", bareServer], dir);
  const megabytes = await residentMb(child);
  await stop(child);
  return megabytes;
}

async function residentMb({ pid }: ChildProcess): Promise<number> {
  const { stdout } = await run("ps", ["-o", "rss=", "-p", String(pid)]);
  return Number(stdout) / 1024;
}

async function load(url: string, requests: number, atOnce: number): Promise<void> {
  const body = JSON.stringify({ model: "support", messages: [{ role: "user", content: "How many requests per minute may an API key send?" }] });
  let left = requests;
  const ask = async (): Promise<void> => {
    while (left-- > 0) {
      const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body });
      if (!response.ok) throw new Error(`The server answered ${response.status}: ${await response.text()}`);
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, ask));
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
