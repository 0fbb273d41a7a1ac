/** What stands between a client and a model: a bare proxy, `twelve run` and, where it can be installed, another gateway, before the same mock. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Row } from "../row.ts";
import { releaseProxy, serve } from "./app.ts";
import { openConnection, type Target } from "./connection.ts";
import { benchCrowd } from "./crowd.ts";
import { benchLatency } from "./latency.ts";
import { hasProcessFiles } from "./measure.ts";
import { portkeyHeaders, startPortkey } from "./portkey.ts";
import { benchRate } from "./rate.ts";
import { type Started, startProgram, stop } from "./started.ts";

/** An answer of so many words, each an event of its own as models stream them. */
const words = 8;
const dripMs = 2;
const slowDripMs = 300;

/** What is asked, and how it is asked for an answer from each upstream. */
export interface Server {
  readonly name: string;
  readonly process: Started;
  target(upstream: Upstream, isStream: boolean): Target;
}

/** At once; each word after a short while; each after so long that the streams of a thousand clients are all open. */
export type Upstream = "instant" | "drip" | "slow";

export interface Servers {
  readonly direct: (upstream: Upstream, isStream: boolean) => Target;
  readonly proxy: Server;
  readonly ours: Server;
  /** Another gateway; undefined where it cannot be installed, or answers no request of this kind. */
  readonly peer: (isStream: boolean) => Promise<Server | undefined>;
}

export async function benchTraffic(parent: string): Promise<readonly Row[]> {
  if (!hasProcessFiles) return [{ name: "run: throughput, latency and streams", measured: "skipped", baseline: "needs /proc", ratio: null, budget: "", isWithin: true }];
  const started: Started[] = [];
  const keep = async (starting: Promise<Started>): Promise<Started> => {
    const process = await starting;
    started.push(process);
    return process;
  };
  try {
    const upstreams = {
      instant: await keep(startProgram("upstream", 0, words)),
      drip: await keep(startProgram("upstream", dripMs, words)),
      slow: await keep(startProgram("upstream", slowDripMs, words)),
    };
    const dir = join(parent, "proxy");
    await mkdir(dir);
    await releaseProxy(dir, { instant: upstreams.instant.url, drip: upstreams.drip.url, slow: upstreams.slow.url });
    const bare = { instant: await keep(startProgram("proxy", upstreams.instant.url)), drip: await keep(startProgram("proxy", upstreams.drip.url)) };
    const ours = await keep(serve(dir));
    const peer = await startPortkey();
    if (peer !== undefined) started.push(peer);
    const servers: Servers = {
      direct: (upstream, isStream) => asking(upstreams[upstream].url, upstream, isStream),
      proxy: { name: "bare proxy", process: bare.instant, target: (upstream, isStream) => asking((upstream === "instant" ? bare.instant : bare.drip).url, upstream, isStream) },
      ours: { name: "twelve", process: ours, target: (upstream, isStream) => asking(ours.url, upstream, isStream) },
      async peer(isStream) {
        if (peer === undefined) return undefined;
        const server: Server = { name: "Portkey", process: peer, target: (upstream, streamed) => ({ ...asking(peer.url, upstream, streamed), headers: portkeyHeaders(upstreams[upstream].url) }) };
        return (await isAnswered(server.target("instant", isStream))) ? server : undefined;
      },
    };
    return [...(await benchRate(servers)), ...(await benchLatency(servers)), ...(await benchCrowd(servers))];
  } finally {
    await Promise.all(started.map(stop));
  }
}

async function isAnswered(target: Target): Promise<boolean> {
  const connection = openConnection(target);
  const isGood = await connection.ask().then(() => true, () => false);
  connection.close();
  return isGood;
}

function asking(url: string, upstream: Upstream, isStream: boolean): Target {
  const body = { model: upstream, ...(isStream ? { stream: true } : {}), messages: [{ role: "user", content: "How many requests per minute may an API key send?" }] };
  return { url, path: "/v1/chat/completions", body: JSON.stringify(body) };
}
