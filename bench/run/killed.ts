/**
 * 10,000 turns of conversations, asked of several processes on one port. Every second one of them is killed, whatever the others do, and is started again.
 * Afterwards each turn that was told to be complete must stand in its session, and each failure must have been one after which a client asks again.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startRedis, withoutRedis } from "../../test/helpers/redis.ts";
import { type Row, scaled } from "../row.ts";
import { releaseSessions, serveSeveral } from "./app.ts";
import { hasProcessFiles } from "./measure.ts";
import { startProgram, stop } from "./started.ts";
import { lostTurns, type Talk, talkOn } from "./talk.ts";

const killEveryMs = 1000;

/** Each client has several sessions, whose turns it asks one after the other until it has an answer to each. */
export async function benchKilled({ turns = scaled(10_000, 200), processes = 4, clients = 50, sessionTurns = 10 } = {}): Promise<readonly Row[]> {
  if (!hasProcessFiles) return [{ name: "run: killed processes", measured: "skipped", baseline: "needs /proc", ratio: null, budget: "", isWithin: true }];
  const dir = await mkdtemp(join(tmpdir(), "twelve-bench-killed-"));
  const redis = withoutRedis ? undefined : await startRedis();
  const model = await startProgram("upstream", 2, 4);
  await releaseSessions(dir, model.url);
  const server = await serveSeveral(dir, processes, { ...process.env, STATE_URL: redis?.url ?? "pglite:.twelve/state" });
  const over = new AbortController();
  let kills = 0;
  const killing = (async () => {
    for (;;) {
      await sleep(killEveryMs);
      if (over.signal.aborted) return;
      // The oldest, ready or not.
      const [victim] = childrenOf(server.pid);
      if (victim === undefined) continue;
      process.kill(victim, "SIGKILL");
      kills++;
    }
  })();
  try {
    const startMs = performance.now();
    const talks = await Promise.all(Array.from({ length: clients }, (_, client) => talkOn(server.url, { client, turns: Math.ceil(turns / clients), sessionTurns })));
    const seconds = (performance.now() - startMs) / 1000;
    over.abort();
    await killing;
    return rowsOf(talks, { kills, seconds, lost: await lostTurns(server.url, talks), state: redis === undefined ? "PGlite" : "Redis" });
  } finally {
    over.abort();
    await stop(server);
    await Promise.all([stop(model), redis?.stop()]);
    await rm(dir, { recursive: true, force: true });
  }
}

interface Outcome {
  readonly kills: number;
  readonly seconds: number;
  readonly lost: number;
  readonly state: string;
}

function rowsOf(talks: readonly Talk[], { kills, seconds, lost, state }: Outcome): readonly Row[] {
  const answered = talks.reduce((sum, talk) => sum + talk.answered.length, 0);
  const clean = talks.reduce((sum, talk) => sum + talk.clean, 0);
  const unclean = talks.flatMap((talk) => talk.unclean);
  for (const what of unclean.slice(0, 10)) process.stderr.write(`No clean failure: ${what}\n`);
  const how = `${kills} kills in ${seconds.toFixed(0)} s, state in ${state}`;
  return [
    { name: `run: ${answered.toLocaleString("en")} turns, processes killed, turns lost`, measured: String(lost), baseline: how, ratio: null, budget: "0", isWithin: lost === 0 },
    { name: "run: failures that were not clean", measured: String(unclean.length), baseline: `${clean} clean ones`, ratio: null, budget: "0", isWithin: unclean.length === 0 },
  ];
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter((text) => text !== "").map(Number);
}
