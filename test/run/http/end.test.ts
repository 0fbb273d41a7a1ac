import fastify from "fastify";
import { describe, expect, it } from "vitest";
import { endServing } from "../../../src/run/http/end.ts";
import { trackTraffic } from "../../../src/run/http/traffic.ts";

async function ending(preStopMs: number, announcedMs?: number, open = 0): Promise<{ readonly told: readonly string[]; readonly written: readonly unknown[] }> {
  const app = fastify();
  await app.listen({ host: "127.0.0.1", port: 0 });
  const told: string[] = [];
  const written: unknown[] = [];
  const traffic = trackTraffic();
  const known = Object.defineProperties(Object.create(traffic) as typeof traffic, { open: { value: open }, ...(announcedMs === undefined ? {} : { stoppingForMs: { value: announcedMs } }) });
  await endServing(app, { traffic: known, story: { note: (note) => void told.push(note) }, preStopMs, drainMs: 2000, write: (event, fields) => void written.push([event, fields]) });
  expect([traffic.isStopping, traffic.isDraining, app.server.listening]).toEqual([true, true, false]);
  return { told, written };
}

const stopping = ["Stopping: no request is open", "Stopped"];

describe("the end of a server", () => {
  it("goes through its pre-stop, says both, and writes what it took", async () => {
    const { told, written } = await ending(20);
    expect(told).toEqual(["Stopping in 1 s: /readyz says so by now, and requests are still taken", ...stopping]);
    expect(written).toEqual([["server-stopped", { requests: 0 }]]);
  });

  it("says for how many requests it waits", async () => {
    expect((await ending(0, undefined, 2)).told[0]).toBe("Stopping: waiting up to 2 s for 2 open requests. A second signal ends at once");
  });

  it("has no pre-stop left where its end was announced long before", async () => {
    expect((await ending(60_000, 60_000)).told).toEqual(stopping);
  });

  it("has none where none is asked for", async () => {
    expect((await ending(0)).told).toEqual(stopping);
  });
});
