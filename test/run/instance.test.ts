import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FromInstance, Parent, ToInstance } from "../../src/ports/instance.ts";
import { joinType } from "../../src/run/instance.ts";
import { openMetrics } from "../../src/run/metrics/record.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

function joined() {
  const said: FromInstance[] = [];
  let hear: (message: ToInstance) => void = () => {};
  const parent: Parent = { name: "web.2", send: (message) => void said.push(message), onMessage: (listener) => (hear = listener), onLost: () => {} };
  const metrics = openMetrics();
  const noted: string[] = [];
  const member = joinType(parent, { metrics, load: () => ({ own: metrics.inFlight.value }), note: (note) => noted.push(note) });
  return { said, noted, metrics, member, hear: (message: ToInstance) => hear(message) };
}

describe("an instance", () => {
  it("tells its parent that it is ready, and every second how much it has to do, until it is closed", async () => {
    const { said, noted, metrics, member } = joined();
    member.ready(["Ready: http://127.0.0.1:3000"]);
    metrics.inFlight.value = 3;
    await vi.advanceTimersByTimeAsync(2000);
    member.close();
    await vi.advanceTimersByTimeAsync(5000);
    expect(said).toEqual([{ kind: "ready", notes: ["Ready: http://127.0.0.1:3000"] }, { kind: "load", own: 3 }, { kind: "load", own: 3 }]);
    expect(noted).toEqual([]);
  });

  it("gives its metrics when it is asked", async () => {
    const { said, hear } = joined();
    hear({ kind: "metrics-asked", id: 4 });
    await vi.waitFor(() => expect(said).toEqual([{ kind: "metrics", id: 4, families: expect.arrayContaining([expect.objectContaining({ name: "twelve_processes" })]) }]));
  });

  it("puts its own and the others' metrics together, and does not wait for them without end", async () => {
    const { said, member, hear } = joined();
    const all = member.collectAll([]);
    const [wanted] = said;
    hear({ kind: "metrics-collected", id: wanted?.kind === "metrics-wanted" ? wanted.id : 0, all: [["other"]] });
    expect(await all).toEqual([[], ["other"]]);
    const alone = member.collectAll([]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(await alone).toEqual([[]]);
  });

  it("without a parent tells a person itself", async () => {
    const noted: string[] = [];
    const member = joinType(undefined, { metrics: openMetrics(), load: () => ({ own: 0 }), note: (note) => noted.push(note) });
    member.ready(["Ready"]);
    expect([noted, await member.collectAll([])]).toEqual([["Ready"], [[]]]);
  });
});
