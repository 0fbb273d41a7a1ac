import { describe, expect, it, vi } from "vitest";
import { openMemoryRuns } from "../../../src/adapters/runs/memory/adapter.ts";
import { keep, openRunMemory } from "../../../src/adapters/runs/memory/kept.ts";
import { ongoingRun, postponing } from "../../../src/adapters/runs/memory/ongoing.ts";
import type { RunHandler } from "../../../src/ports/runs.ts";
import { describeRuns } from "../../ports/runs.contract.ts";

const memory = openRunMemory();
describeRuns("memory", () => Promise.resolve(openMemoryRuns(memory)));

it("gives a run up that rested so often in a row, and has as much hope as ever for one that went on meanwhile", async () => {
  const key = { kind: "k", group: "g", id: "r" };
  const kept = keep(memory, { ...key, input: null, about: null });
  const run = ongoingRun(kept, { stopping: new AbortController().signal, ending: new AbortController().signal, now: memory.now, changed: () => {} });
  const rest = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time += 1) await expect(run.postpone({ type: "away" })).rejects.toBe(postponing);
  };
  await rest(59);
  await run.tell("it goes on", "here");
  await rest(60);
  expect(await run.postpone({ type: "away" })).toBeUndefined();
  expect(kept.events.at(-1)?.data).toMatchObject({ type: "away", attempt: 119 });
});

const run = { kind: "kind", group: "group", id: "one", input: null, about: null };
const working = { concurrency: 4, onReady: () => {}, warn: () => {} };

describe("runs in memory", () => {
  it("forget the oldest that are over where there are too many, and none that is not", async () => {
    const engine = openMemoryRuns(openRunMemory({ mostRuns: 2 }));
    for (const id of ["waits", "old", "new"]) {
      await engine.submit({ ...run, id });
      if (id === "old") await engine.cancel({ ...run, id });
    }
    await engine.submit({ ...run, id: "newest" });
    expect((await engine.list(run, { limit: 10 })).map(({ id }) => id)).toEqual(["newest", "new", "waits"]);
  });

  it("hold no process that stops for ever, not even by a step that must be finished", async () => {
    const engine = openMemoryRuns(openRunMemory(), { graceMs: 1 });
    const stop = new AbortController();
    const begun = { heeds: Promise.withResolvers<void>(), deaf: Promise.withResolvers<void>() };
    const handler: RunHandler = (_, { id, step }) =>
      step("endless", {}, ({ signal }) => {
        begun[id as keyof typeof begun].resolve();
        return new Promise((_resolve, reject) => id === "heeds" && signal.addEventListener("abort", () => reject(signal.reason as Error)));
      }, { isFinished: true });
    for (const id of Object.keys(begun)) await engine.submit({ ...run, id });
    const ended = engine.work({ kind: handler }, { ...working, signal: stop.signal });
    await Promise.all([begun.heeds.promise, begun.deaf.promise]);
    stop.abort();
    await ended;
    await vi.waitFor(async () => expect(await engine.depth("kind")).toMatchObject({ waiting: 1, running: 1 }));
  });
});
