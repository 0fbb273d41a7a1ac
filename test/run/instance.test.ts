import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FromInstance, Parent, ToInstance } from "../../src/ports/instance.ts";
import { joinType } from "../../src/run/instance.ts";
import { openMetrics } from "../../src/run/metrics/record.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

function joined() {
  const said: FromInstance[] = [];
  const lost: (() => void)[] = [];
  const listeners: ((message: ToInstance) => void)[] = [];
  const parent: Parent = { name: "web.2", send: async (message) => void said.push(message), onMessage: (listener) => void listeners.push(listener), onStopAsked: () => {}, onLost: (listener) => void lost.push(listener) };
  const metrics = openMetrics();
  const noted: string[] = [];
  let isAnnounced = false;
  const member = joinType(parent, { metrics, load: () => ({ own: metrics.inFlight.value }), note: (note) => noted.push(note), onStopAnnounced: () => (isAnnounced = true) });
  // Its first word says that it listens.
  expect(said.shift()).toEqual({ kind: "load", own: 0 });
  return { said, noted, metrics, member, isAnnounced: () => isAnnounced, lose: () => lost.forEach((listener) => listener()), hear: (message: ToInstance) => listeners.forEach((listener) => listener(message)) };
}

describe("an instance", () => {
  it("tells its parent that it is ready, and every second how much it has to do, until it is closed", async () => {
    const { said, noted, metrics, member } = joined();
    member.ready(["Ready: http://127.0.0.1:3000"]);
    metrics.inFlight.value = 3;
    await vi.advanceTimersByTimeAsync(2000);
    await member.close();
    await vi.advanceTimersByTimeAsync(5000);
    expect(said).toEqual([{ kind: "ready", notes: ["Ready: http://127.0.0.1:3000"] }, { kind: "load", own: 3 }, { kind: "load", own: 3 }, { kind: "metrics-last", families: expect.arrayContaining([expect.objectContaining({ name: "twelve_http_requests_total" })]) }]);
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

  it("counts the requests of a limited key where all of its type are counted, and alone where nobody answers", async () => {
    const { said, member, hear } = joined();
    const [limit, other, own] = [{ key: "ci", perMinute: 60, burst: 5 }, { isAllowed: false, remaining: 0, fullInMs: 9, nextInMs: 8 }, { isAllowed: true, remaining: 4, fullInMs: 1, nextInMs: 0 }];
    const taken = member.takeRequest(limit, () => own);
    expect(said).toEqual([{ kind: "limit-asked", id: 1, ...limit }]);
    hear({ kind: "limit-told", id: 1, taken: other });
    expect(await taken).toEqual(other);
    const alone = member.takeRequest(limit, () => own);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await alone).toEqual(own);
  });

  it("counts alone, without a wait, once its parent is gone", async () => {
    const { said, member, lose } = joined();
    const own = { isAllowed: true, remaining: 4, fullInMs: 1, nextInMs: 0 };
    const take = (): unknown => member.takeRequest({ key: "ci", perMinute: 60, burst: 5 }, () => own);
    const asked = take();
    lose();
    expect([await asked, await take()]).toEqual([own, own]);
    expect(said).toHaveLength(1);
  }, 2000);

  it("is told that it will be asked to stop", () => {
    const { hear, isAnnounced } = joined();
    hear({ kind: "stop-announced" });
    expect(isAnnounced()).toBe(true);
  });

  it("without a parent tells a person itself", async () => {
    const noted: string[] = [];
    const member = joinType(undefined, { metrics: openMetrics(), load: () => ({ own: 0 }), note: (note) => noted.push(note) });
    member.ready(["Ready"]);
    expect([noted, await member.collectAll([])]).toEqual([["Ready"], [[]]]);
  });
});
