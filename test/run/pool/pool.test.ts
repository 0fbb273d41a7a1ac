import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openPool, type PoolListener } from "../../../src/run/pool/pool.ts";
import type { ProcessType } from "../../../src/run/pool/type-plan.ts";
import { type FakeInstance, fakeInstances } from "./fake-instances.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const fixed = (processes: number): ProcessType => ({ name: "web", kind: "serve", port: 3000, scale: { min: processes, max: processes, perProcess: undefined } });

function open(type: ProcessType) {
  const instances = fakeInstances();
  const told: unknown[] = [];
  const tell = (event: string) => (...facts: readonly unknown[]): void => void told.push([event, ...facts]);
  const listener: PoolListener = { ready: tell("ready"), exited: tell("exited"), restarted: tell("restarted"), scaled: tell("scaled"), hopeless: tell("hopeless") };
  const pool = openPool(type, { start: instances.start, nowMs: () => performance.now(), random: () => 0, told: listener });
  const at = (place: number): FakeInstance => instances.started[place] as FakeInstance;
  const ready = (...places: readonly number[]): void => places.forEach((place) => at(place).say({ kind: "ready", notes: ["hello"] }));
  return { pool, told, started: instances.started, at, ready };
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

  it("starts again what ended, under its name, and lets the others be", async () => {
    const { started, told, at, ready } = open(fixed(2));
    ready(0, 1);
    await vi.advanceTimersByTimeAsync(3000);
    await at(1).end(null, "SIGKILL");
    await vi.advanceTimersByTimeAsync(999);
    expect(started).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(started.map(({ name }) => name)).toEqual(["web.1", "web.2", "web.2"]);
    expect(told.slice(1)).toEqual([
      ["exited", { instance: "web.2", pid: 1001, exitCode: null, signal: "SIGKILL", ranMs: 3000, restartInMs: 1000 }],
      ["restarted", "web.2", 1002],
    ]);
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

  it("asks a process that leaves only once, also when all are asked to end", async () => {
    const { pool, at, ready } = open(web);
    ready(0);
    at(0).say({ kind: "load", own: 12 });
    await vi.advanceTimersByTimeAsync(6000);
    ready(1);
    at(0).say({ kind: "load", own: 0 });
    await vi.advanceTimersByTimeAsync(62_000);
    const leaving = [at(0), at(1)].find(({ stops }) => stops === 1);
    pool.stop();
    expect(leaving?.stops).toBe(1);
  });
});

describe("the metrics of a pool", () => {
  it("are asked of the others for the one that is scraped; who does not answer is left out", async () => {
    const { at, ready } = open(fixed(3));
    ready(0, 1, 2);
    at(0).say({ kind: "metrics-wanted", id: 7 });
    expect(at(0).heard).toEqual([]);
    const [asked] = at(1).heard;
    at(1).say({ kind: "metrics", id: asked?.id ?? 0, families: ["one"] });
    await vi.advanceTimersByTimeAsync(1000);
    expect(at(0).heard).toEqual([{ kind: "metrics-collected", id: 7, all: [["one"]] }]);
  });
});
