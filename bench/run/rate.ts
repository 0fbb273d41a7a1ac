/** Throughput with 50 requests at once, and the processor time of one. */
import { median, type Row, scaled } from "../row.ts";
import type { Rate } from "./load.ts";
import { load } from "./started.ts";
import type { Server, Servers } from "./traffic.ts";

const atOnce = 50;
const leastRatio = 0.5;
const mostMicros = 100;

/** Each server is asked until its code is compiled; then they take turns, so that a busy moment of the machine hits all. */
export async function benchRate({ proxy, ours, peer: peerFor }: Servers, { rounds = scaled(9, 3), warmUpMs = scaled(8000, 500), measureMs = scaled(1500, 300) } = {}): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const isStream of [false, true]) {
    const peer = await peerFor(isStream);
    const servers = [proxy, ours, ...(peer === undefined ? [] : [peer])];
    const measured = new Map(servers.map((server) => [server, [] as Rate[]]));
    const ask = (server: Server, ms: number): Promise<Rate> => load({ type: "rate", target: server.target("instant", isStream), pid: server.process.pid, atOnce, warmUpMs: ms, measureMs });
    for (const server of servers) await ask(server, warmUpMs);
    for (let round = 0; round < rounds; round++) {
      for (const [server, rates] of measured) rates.push(await ask(server, 100));
    }
    rows.push(...rowsOf(isStream ? "streamed" : "whole", { proxy: measured.get(proxy) ?? [], ours: measured.get(ours) ?? [], peer: peer && measured.get(peer) }));
  }
  return rows;
}

interface Measured {
  readonly proxy: readonly Rate[];
  readonly ours: readonly Rate[];
  readonly peer: readonly Rate[] | undefined;
}

function rowsOf(how: string, { proxy, ours, peer }: Measured): readonly Row[] {
  const rate = (rates: readonly Rate[]): string => `${Math.round(median(rates.map(({ perSecond }) => perSecond))).toLocaleString("en")}/s`;
  const cpu = (rates: readonly Rate[]): number => median(rates.map(({ cpuMicros }) => cpuMicros));
  const micros = (rates: readonly Rate[]): string => `${cpu(rates).toFixed(0)} us (${Math.min(...rates.map(({ cpuMicros }) => cpuMicros)).toFixed(0)}-${Math.max(...rates.map(({ cpuMicros }) => cpuMicros)).toFixed(0)})`;
  // Of two that took turns, each round gives one ratio.
  const ratioTo = (rates: readonly Rate[]): number => median(rates.map(({ perSecond }, round) => perSecond / (proxy[round]?.perSecond ?? Number.NaN)));
  const ratio = ratioTo(ours);
  return [
    { name: `run: ${how}, ${atOnce} at once`, measured: rate(ours), baseline: `bare proxy: ${rate(proxy)}`, ratio, budget: `>= ${leastRatio}x`, isWithin: ratio >= leastRatio },
    { name: `run: ${how}, processor time a request`, measured: micros(ours), baseline: `bare proxy: ${micros(proxy)}`, ratio: cpu(ours) / cpu(proxy), budget: `<= ${mostMicros} us`, isWithin: cpu(ours) <= mostMicros },
    peer === undefined
      ? { name: `run: Portkey, ${how}`, measured: "cannot be installed, or answers no such request", baseline: "", ratio: null, budget: "", isWithin: true }
      : { name: `run: Portkey, ${how}, ${atOnce} at once`, measured: `${rate(peer)}, ${micros(peer)}`, baseline: `bare proxy: ${rate(proxy)}`, ratio: ratioTo(peer), budget: "", isWithin: true },
  ];
}
