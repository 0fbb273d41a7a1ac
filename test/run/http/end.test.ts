import fastify from "fastify";
import { describe, expect, it } from "vitest";
import { endServing } from "../../../src/run/http/end.ts";
import { trackTraffic } from "../../../src/run/http/traffic.ts";

async function ending(preStopMs: number, announcedMs?: number): Promise<{ readonly told: readonly string[]; readonly written: readonly unknown[] }> {
  const app = fastify();
  await app.listen({ host: "127.0.0.1", port: 0 });
  const told: string[] = [];
  const written: unknown[] = [];
  const traffic = trackTraffic();
  const known = announcedMs === undefined ? traffic : Object.defineProperty(Object.create(traffic) as typeof traffic, "stoppingForMs", { value: announcedMs });
  await endServing(app, { traffic: known, story: { note: (note) => void told.push(note) }, preStopMs, drainMs: 2000, write: (event, fields) => void written.push([event, fields]) });
  expect([traffic.isStopping, traffic.isDraining, app.server.listening]).toEqual([true, true, false]);
  return { told, written };
}

const draining = "Stopping: waiting up to 2 s for open requests. A second signal ends at once";

describe("the end of a server", () => {
  it("goes through its pre-stop, says both, and writes what it took", async () => {
    const { told, written } = await ending(20);
    expect(told).toEqual(["Stopping in 1 s: /readyz says so by now, and requests are still taken", draining]);
    expect(written).toEqual([["server-stopped", { requests: 0 }]]);
  });

  it("has no pre-stop left where its end was announced long before", async () => {
    expect((await ending(60_000, 60_000)).told).toEqual([draining]);
  });

  it("has none where none is asked for", async () => {
    expect((await ending(0)).told).toEqual([draining]);
  });
});
