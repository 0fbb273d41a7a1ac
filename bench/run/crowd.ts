/** A thousand clients that read streams at the same time, all from one process. */
import { type Row, scaled } from "../row.ts";
import type { Target } from "./connection.ts";
import type { Crowd } from "./load.ts";
import { load } from "./started.ts";
import type { Servers } from "./traffic.ts";

const mostMb = 400;

export async function benchCrowd({ direct, ours }: Servers, { streams = scaled(1000, 50) } = {}): Promise<readonly Row[]> {
  const ask = (target: Target): Promise<Crowd> => load({ type: "crowd", target, pid: ours.process.pid, atOnce: streams });
  const alone = await ask(direct("slow", true));
  const crowd = await ask(ours.target("slow", true));
  const isAll = crowd.complete === streams;
  return [
    { name: `run: ${streams} streams at once, most resident`, measured: `${crowd.peakMb.toFixed(0)} MB`, baseline: "", ratio: null, budget: `<= ${mostMb} MB`, isWithin: crowd.peakMb <= mostMb },
    { name: `run: ${streams} streams at once, complete`, measured: `${crowd.complete} in ${(crowd.endMs / 1000).toFixed(1)} s`, baseline: `model alone: ${alone.complete} in ${(alone.endMs / 1000).toFixed(1)} s`, ratio: crowd.endMs / alone.endMs, budget: "all", isWithin: isAll },
  ];
}
