/** What is added to the time of one request at a time, over asking the model directly. */
import { median, type Row, scaled } from "../row.ts";
import type { Timing } from "./connection.ts";
import { load } from "./started.ts";
import type { Servers } from "./traffic.ts";

const mostAddedMs = 0.5;

export async function benchLatency({ direct, proxy, ours, peer: peerFor }: Servers, { warmUps = scaled(2000, 50), requests = scaled(3000, 100) } = {}): Promise<readonly Row[]> {
  const rows: Row[] = [];
  // Streams drip, so that whoever waits for more than the first word is found out.
  for (const { how, upstream, isStream, timeOf, share } of [
    { how: "whole answer", upstream: "instant", isStream: false, timeOf: ({ endMs }: Timing) => endMs, share: 1 },
    { how: "first streamed byte", upstream: "drip", isStream: true, timeOf: ({ firstMs }: Timing) => firstMs, share: 0.2 },
  ] as const) {
    const peer = await peerFor(isStream);
    const servers = [proxy, ours, ...(peer === undefined ? [] : [peer])];
    const targets = [direct(upstream, isStream), ...servers.map((server) => server.target(upstream, isStream))];
    const timings = await load<readonly (readonly Timing[])[]>({ type: "latency", targets, warmUps: Math.round(warmUps * share), requests: Math.round(requests * share) });
    const [directMs = 0, ...servedMs] = timings.map((each) => median(each.map(timeOf)));
    const show = (ms: number): string => `${ms.toFixed(2)} ms`;
    const [proxyMs = 0, oursMs = 0, peerMs] = servedMs.map((ms) => ms - directMs);
    rows.push({ name: `run: added to a ${how}, p50`, measured: show(oursMs), baseline: `bare proxy: ${show(proxyMs)}; model: ${show(directMs)}`, ratio: oursMs / proxyMs, budget: `<= ${show(mostAddedMs)}`, isWithin: oursMs <= mostAddedMs });
    if (peerMs !== undefined) rows.push({ name: `run: Portkey, added to a ${how}, p50`, measured: show(peerMs), baseline: `bare proxy: ${show(proxyMs)}`, ratio: peerMs / proxyMs, budget: "", isWithin: true });
  }
  return rows;
}
