/** How soon `twelve run` answers, and how much memory it takes, with an embedded index of 10,000 chunks. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { median, type Row, scaled } from "../row.ts";
import { releaseSearch, serve } from "./app.ts";
import { residentMb } from "./measure.ts";
import { start, type Started, stop } from "./started.ts";

const bareServer = 'const s = require("node:http").createServer((q, r) => r.end()).listen(0, "127.0.0.1", () => console.log(JSON.stringify({ url: "http://127.0.0.1:" + s.address().port })))';

const readyBudgetMs = 400;
const idleBudgetMb = 200;
const loadedBudgetMb = 350;
const fewChunks = 200;

/** So many starts, each beside one of a bare node:http server; then a load of questions that are searched for. */
export async function benchReady(parent: string, { chunks = scaled(10_000, 200), starts = scaled(9, 3), requests = scaled(3000, 100), atOnce = 50 } = {}): Promise<readonly Row[]> {
  const dir = join(parent, "search");
  await mkdir(dir);
  await releaseSearch(dir, chunks);
  const seen = { ours: [] as Seen[], bare: [] as Seen[] };
  for (let round = 0; round < starts; round++) {
    seen.ours.push(await look(await serve(dir)));
    seen.bare.push(await look(await start(["-e", bareServer], { cwd: dir })));
  }
  const small = join(parent, "small");
  await mkdir(small);
  await releaseSearch(small, fewChunks);
  const loadedMb = async (folder: string): Promise<number> => {
    const server = await serve(folder);
    await ask(server.url, requests, atOnce);
    const megabytes = residentMb(server.pid);
    await stop(server);
    return megabytes;
  };
  const bareMb = median(seen.bare.map(({ megabytes }) => megabytes));
  return [
    row(`run: ready with ${chunks.toLocaleString("en")} chunks, whole process`, [median(seen.ours.map(({ readyMs }) => readyMs)), median(seen.bare.map(({ readyMs }) => readyMs)), readyBudgetMs], "ms"),
    row("run: resident, idle", [median(seen.ours.map(({ megabytes }) => megabytes)), bareMb, idleBudgetMb], "MB"),
    row(`run: resident, after ${requests} searches of ${fewChunks} chunks`, [await loadedMb(small), bareMb, loadedBudgetMb], "MB"),
    row(`run: resident, after ${requests} searches of ${chunks.toLocaleString("en")} chunks`, [await loadedMb(dir), bareMb, loadedBudgetMb], "MB"),
  ];
}

interface Seen {
  readonly readyMs: number;
  readonly megabytes: number;
}

async function look(started: Started): Promise<Seen> {
  const megabytes = residentMb(started.pid);
  await stop(started);
  return { readyMs: started.readyMs, megabytes };
}

function row(name: string, [measured, baseline, budget]: readonly [number, number, number], unit: string): Row {
  const show = (value: number): string => `${Math.round(value)} ${unit}`;
  return { name, measured: show(measured), baseline: `${show(baseline)} (bare node:http)`, ratio: measured / baseline, budget: `<= ${show(budget)}`, isWithin: measured <= budget };
}

async function ask(url: string, requests: number, atOnce: number): Promise<void> {
  const body = JSON.stringify({ model: "search", messages: [{ role: "user", content: "How many requests per minute may an API key send?" }] });
  let left = requests;
  const askOn = async (): Promise<void> => {
    while (left-- > 0) {
      const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body });
      if (!response.ok) throw new Error(`The server answered ${response.status}: ${await response.text()}`);
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, askOn));
}
