import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Json } from "../../../src/core/canonical-json.ts";
import type { FromInstance } from "../../../src/ports/instance.ts";
import { openLimits } from "../../../src/run/pool/limit.ts";
import { openPool, type PoolListener } from "../../../src/run/pool/pool.ts";
import type { ProcessType } from "../../../src/run/pool/type-plan.ts";
import { type FakeInstance, fakeInstances } from "./fake-instances.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const fixed = (processes: number): ProcessType => ({ name: "web", kind: "serve", port: 3000, scale: { min: processes, max: processes, perProcess: undefined } });

function open(type: ProcessType, chance = 0) {
  const instances = fakeInstances();
  const told: (readonly [string, ...unknown[]])[] = [];
  const tell = (event: string) => (...facts: readonly unknown[]): void => void told.push([event, ...facts]);
  const listener: PoolListener = { ready: tell("ready"), exited: tell("exited"), restarted: tell("restarted"), scaled: tell("scaled"), forced: tell("forced"), hopeless: tell("hopeless") };
  const pool = openPool(type, { start: instances.start, nowMs: () => performance.now(), random: () => chance, leaveMs: 5000, countRequest: openLimits(() => performance.now()), told: listener });
  const at = (place: number): FakeInstance => instances.started[place] as FakeInstance;
  const ready = (...places: readonly number[]): void => places.forEach((place) => at(place).say({ kind: "ready", notes: ["hello"] }));
  return { pool, told, started: instances.started, at, ready };
}

/** A pool that had a second process for a while, and one of the two that was asked to end when there was little to do. */
async function openLeaving(type: ProcessType) {
  const { pool, told, at, ready } = open(type);
  ready(0);
  at(0).say({ kind: "load", own: 12 });
  await vi.advanceTimersByTimeAsync(6000);
  ready(1);
  at(0).say({ kind: "load", own: 0 });
  await vi.advanceTimersByTimeAsync(62_000);
  const leaving = [at(0), at(1)].find(({ stops }) => stops === 1);
  if (leaving === undefined) throw new Error("No process was asked to end");
  return { pool, told, leaving };
}

describe("a pool", () => {
  it("starts as many as there should be, and tells once when all of them are ready", () => {
    const { started, told, ready } = open(fixed(3));
    expect(started.map(({ name }) => name)).toEqual(["web.1", "web.2", "web.3"]);
    ready(0, 1);
    expect(told).toEqual([]);
    ready(2, 2);
    expect(told).toEqual([["ready", ["hello"]]]);
  });

  it("starts again at once what ended and was well, under its name, and lets the others be", async () => {
    const { started, told, at, ready } = open(fixed(2));
    ready(0, 1);
    await vi.advanceTimersByTimeAsync(3000);
    await at(1).end(null, "SIGKILL");
    await vi.advanceTimersByTimeAsync(0);
    expect(started.map(({ name }) => name)).toEqual(["web.1", "web.2", "web.2"]);
    expect(told.slice(1)).toEqual([
      ["exited", { instance: "web.2", pid: 1001, exitCode: null, signal: "SIGKILL", ranMs: 3000, restartInMs: 0 }],
      ["restarted", "web.2", 1002],
    ]);
  });

  it("lets none wait long that is killed every second, however long that goes on", async () => {
    const { started, at, ready } = open(fixed(2));
    ready(0, 1);
    for (let second = 1; second <= 60; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      expect(started).toHaveLength(1 + second);
      await at(second).end(null, "SIGKILL");
      await vi.advanceTimersByTimeAsync(0);
      ready(second + 1);
    }
  });

  it("lets what fails in its start wait longer each time", async () => {
    const { told, at, ready } = open(fixed(1), 1);
    ready(0);
    for (let turn = 0; turn < 3; turn++) {
      await at(turn).end(1);
      await vi.advanceTimersByTimeAsync(10_000);
    }
    expect(told.filter(([event]) => event === "exited")).toEqual([2000, 4000, 8000].map((restartInMs) => ["exited", expect.objectContaining({ restartInMs })]));
  });

  it("tries again where the system could start no process, and can be stopped then", async () => {
    const { pool, started, told, at } = open(fixed(2));
    await at(0).fail("spawn EAGAIN");
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual([["exited", expect.objectContaining({ instance: "web.1", pid: 1000, failure: "spawn EAGAIN", restartInMs: 1000 })]]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(started).toHaveLength(3);
    await at(2).fail("spawn EAGAIN");
    await vi.advanceTimersByTimeAsync(0);
    pool.stop();
    await at(1).end(0);
    await pool.ended;
  });

  it("says that its type cannot be run, and starts nothing more, when the first start shows that something is to be corrected", async () => {
    const { pool, started, told, at } = open(fixed(1));
    await at(0).end(5);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([started.length, told]).toEqual([1, [["hopeless", expect.objectContaining({ instance: "web.1", exitCode: 5 })]]]);
    pool.stop();
    await pool.ended;
  });

  it("goes on trying where it ran before", async () => {
    const { started, at, ready } = open(fixed(1));
    ready(0);
    await at(0).end(1);
    await vi.advanceTimersByTimeAsync(1000);
    await at(1).end(5);
    await vi.advanceTimersByTimeAsync(1000);
    expect(started).toHaveLength(3);
  });

  it("asks all to end, forces them when it is asked again, and starts nothing meanwhile", async () => {
    const { pool, started, at, ready } = open(fixed(3));
    ready(0, 1, 2);
    await at(2).end(1);
    await vi.advanceTimersByTimeAsync(10);
    pool.stop();
    expect([at(0).stops, at(1).stops]).toEqual([1, 1]);
    await at(0).end(0);
    pool.stop();
    expect(at(1).stops).toBe(2);
    await at(1).end(130);
    await pool.ended;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(started).toHaveLength(3);
  });
});

describe("a pool that scales", () => {
  const web: ProcessType = { name: "web", kind: "serve", port: 3000, scale: { min: 1, max: 3, perProcess: 10 } };
  const worker: ProcessType = { ...web, name: "worker", kind: "work" };

  it("starts another process while each has too many requests, and ends one when there is little to do", async () => {
    const { started, told, at, ready } = open(web);
    ready(0);
    at(0).say({ kind: "load", own: 12 });
    await vi.advanceTimersByTimeAsync(6000);
    expect([started.length, told.at(-1)]).toEqual([2, ["scaled", 1, 2, 12]]);
    // Nobody knows yet what the new one will take off.
    await vi.advanceTimersByTimeAsync(20_000);
    expect(started).toHaveLength(2);
    ready(1);
    at(0).say({ kind: "load", own: 3 });
    at(1).say({ kind: "load", own: 1 });
    await vi.advanceTimersByTimeAsync(61_000);
    expect([at(0).stops, at(1).stops, told.at(-1)]).toEqual([0, 1, ["scaled", 2, 1, 4]]);
    await at(1).end(0);
    await vi.advanceTimersByTimeAsync(5000);
    expect(told.at(-1)).toEqual(["scaled", 2, 1, 4]);
  });

  it("counts what waits for all workers once, and ends only a worker that does nothing", async () => {
    const { started, at, ready } = open(worker);
    ready(0);
    at(0).say({ kind: "load", own: 4, waiting: 11 });
    await vi.advanceTimersByTimeAsync(6000);
    expect(started).toHaveLength(2);
    ready(1);
    for (const place of [0, 1]) at(place).say({ kind: "load", own: 1, waiting: 11 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(started).toHaveLength(2);
    for (const place of [0, 1]) at(place).say({ kind: "load", own: 1, waiting: 0 });
    await vi.advanceTimersByTimeAsync(70_000);
    expect([at(0).stops, at(1).stops]).toEqual([0, 0]);
    at(0).say({ kind: "load", own: 0, waiting: 0 });
    await vi.advanceTimersByTimeAsync(1000);
    expect([at(0).stops, at(1).stops]).toEqual([1, 0]);
  });

  it("forces a process that leaves and does not end in time, and kills one that is frozen", async () => {
    const { told, leaving } = await openLeaving(web);
    await vi.advanceTimersByTimeAsync(5000);
    expect([leaving.stops, leaving.isKilled, told.at(-1)]).toEqual([2, false, ["forced", leaving.name]]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(leaving.isKilled).toBe(true);
  });

  it("asks a process that leaves only once, also when all are asked to end", async () => {
    const { pool, leaving } = await openLeaving(web);
    pool.stop();
    expect(leaving.stops).toBe(1);
  });
});

describe("a pool that scales where one of its processes does not get ready", () => {
  const web: ProcessType = { name: "web", kind: "serve", port: 3000, scale: { min: 2, max: 3, perProcess: 10 } };

  it("goes by the others, once that one has failed", async () => {
    const { started, told, at, ready } = open(web);
    ready(0);
    at(0).say({ kind: "load", own: 12 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(started).toHaveLength(2);
    await at(1).end(1);
    await vi.advanceTimersByTimeAsync(6000);
    expect(told.at(-1)).toEqual(["scaled", 2, 3, 12]);
  });

  it("goes by the others when that one takes very long", async () => {
    const { told, at, ready } = open(web);
    ready(0);
    at(0).say({ kind: "load", own: 12 });
    await vi.advanceTimersByTimeAsync(29_000);
    expect(told).toEqual([]);
    await vi.advanceTimersByTimeAsync(8000);
    expect(told.at(-1)).toEqual(["scaled", 2, 3, 12]);
  });
});

describe("the metrics of a pool", () => {
  const requests = (value: number): Json => [{ name: "requests", help: "", type: "counter", aggregator: "sum", values: [{ value, labels: { route: "/" } }] }];
  const load: FromInstance = { kind: "load", own: 0 };
  const scrape = (asker: FakeInstance, own = requests(1)): void => asker.say({ kind: "metrics-wanted", id: 7, families: own });
  const answer = (instance: FakeInstance, families: Json): void => {
    const asked = instance.heard.at(-1);
    if (asked?.kind === "metrics-asked") instance.say({ kind: "metrics", id: asked.id, families });
  };

  it("are asked of the others for the one that is scraped; who does not answer is there with what it said last", async () => {
    const { at, ready } = open(fixed(3));
    ready(0, 1, 2);
    for (const place of [0, 1, 2]) at(place).say(load);
    scrape(at(0));
    expect(at(0).heard).toEqual([]);
    answer(at(1), requests(10));
    answer(at(2), requests(100));
    await vi.advanceTimersByTimeAsync(0);
    expect(at(0).heard).toEqual([{ kind: "metrics-collected", id: 7, all: [requests(10), requests(100)] }]);
    scrape(at(0));
    answer(at(1), requests(11));
    await vi.advanceTimersByTimeAsync(1000);
    expect(at(0).heard[1]).toEqual({ kind: "metrics-collected", id: 7, all: [requests(11), requests(100)] });
  });

  it("do not wait for one that has said nothing yet", async () => {
    const { at } = open(fixed(2));
    scrape(at(0));
    await vi.advanceTimersByTimeAsync(0);
    expect(at(0).heard).toEqual([{ kind: "metrics-collected", id: 7, all: [] }]);
  });

  it("keep what those counted that are gone, without what was so of them only while they lived", async () => {
    const { at, ready } = open(fixed(2));
    ready(0, 1);
    for (const place of [0, 1]) at(place).say(load);
    const gauge = { name: "in_flight", help: "", type: "gauge", aggregator: "sum", values: [{ value: 3, labels: {} }] };
    scrape(at(1), [...(requests(5) as Json[]), gauge]);
    await at(1).end(null, "SIGKILL");
    await vi.advanceTimersByTimeAsync(1000);
    at(2).say(load);
    at(2).say({ kind: "metrics-last", families: requests(20) });
    await at(2).end(1);
    await vi.advanceTimersByTimeAsync(0);
    scrape(at(0));
    await vi.advanceTimersByTimeAsync(0);
    expect(at(0).heard.at(-1)).toEqual({ kind: "metrics-collected", id: 7, all: [requests(25)] });
  });

  it("counts once what a process did that answers a scrape and ends before another one has answered", async () => {
    const { at, ready } = open(fixed(3));
    ready(0, 1, 2);
    for (const place of [0, 1, 2]) at(place).say(load);
    scrape(at(0));
    answer(at(1), requests(10));
    await at(1).end(1);
    answer(at(2), requests(100));
    await vi.advanceTimersByTimeAsync(0);
    expect(at(0).heard.at(-1)).toEqual({ kind: "metrics-collected", id: 7, all: [requests(10), requests(100)] });
  });
});

it("counts the requests of a limited key for all processes of a pool, also across their ends", async () => {
  const { at, ready } = open(fixed(2));
  ready(0, 1);
  const take = (place: number): unknown => {
    at(place).say({ kind: "limit-asked", id: 1, key: "ci", perMinute: 1, burst: 2 });
    const told = at(place).heard.at(-1);
    return told?.kind === "limit-told" && told.taken.isAllowed;
  };
  expect([take(0), take(1), take(0), take(1)]).toEqual([true, true, false, false]);
  await vi.advanceTimersByTimeAsync(5000);
  await at(0).end(null, "SIGKILL");
  await vi.advanceTimersByTimeAsync(0);
  expect(take(2)).toBe(false);
});
