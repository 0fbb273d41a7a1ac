/**
 * `twelve index` on 5,000 documents against an embedding server that takes 50 ms a request: the first time, with nothing changed, with
 * one in a hundred changed; beside LangChain and LlamaIndex, which keep what they make in memory. And how time and memory grow with the documents.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Row, scaled } from "./row.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");
const binary = join(root, "bin/twelve.js");
const peers = join(import.meta.dirname, "peers");
/** What any indexer has to do: read each file and hash it. */
const bareRead = 'const fs = require("node:fs"), c = require("node:crypto"); for (const f of fs.readdirSync("docs")) c.hash("sha256", fs.readFileSync("docs/" + f))';
const requestMs = 50;

export async function benchIndex({ documents = scaled(5000, 100), many = scaled(40_000, 400) } = {}): Promise<readonly Row[]> {
  const dir = await mkdtemp(join(tmpdir(), "twelve-bench-index-"));
  const server = await startServer();
  try {
    return [...(await benchServer(join(dir, "app"), documents, server)), ...(await benchGrowth(join(dir, "many"), many))];
  } finally {
    server.child.kill("SIGTERM");
    await rm(dir, { recursive: true, force: true });
  }
}

async function benchServer(dir: string, documents: number, server: Server): Promise<readonly Row[]> {
  await makeApp(dir, documents, `${server.url}#mock`);
  const bareMs = await timed(["-e", bareRead], dir);
  const measure = async (): Promise<{ readonly ms: number; readonly requests: number }> => {
    const before = await requestsOf(server);
    const ms = await timed([binary, "index", "--quiet"], dir);
    return { ms, requests: (await requestsOf(server)) - before };
  };
  const first = await measure();
  const again = await measure();
  await Promise.all(Array.from({ length: Math.max(1, documents / 100) }, (_, i) => writeDocument(dir, i * 100, "second")));
  const changed = await measure();
  const baseline = `read and hash each file: ${show(bareMs)}`;
  const name = `index: ${documents} documents`;
  const time = (what: string, { ms }: { readonly ms: number }, budgetMs: number): Row => ({ name: `${name}, ${what}`, measured: show(ms), baseline, ratio: ms / bareMs, budget: `<= ${show(budgetMs)}`, isWithin: ms <= budgetMs });
  const requests = (what: string, { requests: count }: { readonly requests: number }, budget: number): Row => ({ name: `${name}, ${what}, requests`, measured: String(count), baseline: `${requestMs} ms each`, ratio: null, budget: `<= ${budget}`, isWithin: count <= budget });
  return [
    time("first", first, 2500), requests("first", first, 60),
    time("no change", again, 600),
    time("1% changed", changed, 900), requests("1% changed", changed, 3),
    ...(await benchPeers(dir, server, first.ms)),
  ];
}

/** Packages that do the same in memory. They are no dependency of anything: the first run installs them beside the benchmark. */
async function benchPeers(dir: string, server: Server, ourMs: number): Promise<readonly Row[]> {
  const row = (peer: string, measured: string, ratio: number | null): Row => ({ name: `index: ${peer}, first, in memory`, measured, baseline: `twelve: ${show(ourMs)}`, ratio, budget: "", isWithin: true });
  if (!existsSync(join(peers, "node_modules"))) {
    try {
      await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"], { cwd: peers });
    } catch {
      return [row("LangChain and LlamaIndex", "cannot be installed", null)];
    }
  }
  const rows: Row[] = [];
  for (const [peer, script] of [["LangChain", "langchain.mjs"], ["LlamaIndex", "llamaindex.mjs"]] as const) {
    const before = await requestsOf(server);
    const ms = await timed([join(peers, script), join(dir, "docs"), server.url], dir);
    rows.push(row(peer, `${show(ms)}, ${(await requestsOf(server)) - before} requests`, ms / ourMs));
  }
  return rows;
}

/** With the default embedder. Whoever has twice the documents should wait twice as long, and need no other machine. */
async function benchGrowth(dir: string, most: number): Promise<readonly Row[]> {
  await makeApp(dir, most / 4, "hash:512");
  const quarter = await measured([binary, "index", "--quiet"], dir);
  await rm(join(dir, ".twelve"), { recursive: true });
  await writeDocuments(dir, most / 4, most);
  const whole = await measured([binary, "index", "--quiet"], dir);
  await writeDocuments(dir, most, most + most / 100);
  const more = await measured([binary, "index", "--quiet"], dir);
  const growth = whole.ms / quarter.ms;
  return [
    { name: `index: ${most} small files, most memory`, measured: `${Math.round(whole.megabytes)} MB`, baseline: `${most / 4} files: ${Math.round(quarter.megabytes)} MB`, ratio: whole.megabytes / quarter.megabytes, budget: "<= 1024 MB", isWithin: whole.megabytes <= 1024 },
    { name: `index: ${most} small files, time`, measured: show(whole.ms), baseline: `${most / 4} files: ${show(quarter.ms)}`, ratio: growth, budget: "<= 5x for 4x", isWithin: growth <= 5 },
    { name: `index: 1% more than ${most} files`, measured: show(more.ms), baseline: `all: ${show(whole.ms)}`, ratio: more.ms / whole.ms, budget: "", isWithin: true },
  ];
}

async function makeApp(dir: string, documents: number, embedder: string): Promise<void> {
  await mkdir(join(dir, "docs"), { recursive: true });
  await writeFile(join(dir, "twelve.yaml"), `name: bench\nindexes:\n  docs: { source: [docs], embedder: "${embedder}" }\n`);
  await writeDocuments(dir, 0, documents);
}

async function writeDocuments(dir: string, from: number, to: number): Promise<void> {
  for (let start = from; start < to; start += 1000) {
    await Promise.all(Array.from({ length: Math.min(1000, to - start) }, (_, i) => writeDocument(dir, start + i, "first")));
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

/** The most memory that the process ever had, as the kernel counts it. */
const reportMemory = 'process.on("exit", () => require("node:fs").writeFileSync(process.env.PEAK, String(process.resourceUsage().maxRSS)))';

async function measured(args: readonly string[], cwd: string): Promise<{ readonly ms: number; readonly megabytes: number }> {
  const [hook, peak] = [join(cwd, "peak.cjs"), join(cwd, "peak.txt")];
  await writeFile(hook, reportMemory);
  const startMs = performance.now();
  await run(process.execPath, ["--require", hook, ...args], { cwd, env: { ...process.env, PEAK: peak } });
  const ms = performance.now() - startMs;
  await rm(hook);
  return { ms, megabytes: Number(await readFile(peak, "utf8")) / 1024 };
}

interface Server {
  readonly child: ChildProcess;
  readonly url: string;
}

function startServer(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "embedding-server.ts"), String(requestMs), "256"], { stdio: ["ignore", "pipe", "inherit"] });
    child.once("exit", (exitCode) => reject(new Error(`The embedding server ended with ${exitCode}`)));
    child.stdout.setEncoding("utf8").once("data", (line: string) => resolve({ child, url: (JSON.parse(line) as { readonly url: string }).url }));
  });
}

async function requestsOf({ url }: Server): Promise<number> {
  return ((await (await fetch(url.replace(/\/v1$/, "/stats"))).json()) as { readonly requests: number }).requests;
}

function show(milliseconds: number): string {
  return `${Math.round(milliseconds)} ms`;
}
