import { expect, it } from "vitest";
import { openMemoryRuns } from "../../../src/adapters/runs/memory/adapter.ts";
import { keep, openRunMemory } from "../../../src/adapters/runs/memory/kept.ts";
import { ongoingRun, postponing } from "../../../src/adapters/runs/memory/ongoing.ts";
import { describeRuns } from "../../ports/runs.contract.ts";

const memory = openRunMemory();
describeRuns("memory", () => Promise.resolve(openMemoryRuns(memory)));

it("gives a run up that rested so often in a row, and has as much hope as ever for one that went on meanwhile", async () => {
  const key = { kind: "k", group: "g", id: "r" };
  const kept = keep(memory, { ...key, input: null, about: null });
  const run = ongoingRun(kept, { stopping: new AbortController().signal, now: memory.now, changed: () => {} });
  const rest = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time += 1) await expect(run.postpone({ type: "away" })).rejects.toBe(postponing);
  };
  await rest(59);
  await run.tell("it goes on", "here");
  await rest(60);
  expect(await run.postpone({ type: "away" })).toBeUndefined();
  expect(kept.events.at(-1)?.data).toMatchObject({ type: "away", attempt: 119 });
});
