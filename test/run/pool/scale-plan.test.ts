import { describe, expect, it } from "vitest";
import { growAfterMs, planScale, type Processes, type Sample, type Scale, shrinkAfterMs } from "../../../src/run/pool/scale-plan.ts";

const scale: Scale = { min: 1, max: 4, perProcess: 10 };

/** One look a second, the last one at `forMs`. */
function steady(load: number, forMs: number): readonly Sample[] {
  return Array.from({ length: forMs / 1000 + 1 }, (_, i) => ({ atMs: i * 1000, load }));
}

const ready = (processes: number): Processes => ({ running: processes, ready: processes });

describe("planScale", () => {
  it.each([
    ["starts one when all have had too much to do for a while", 1, steady(11, growAfterMs), 2],
    ["starts none after a burst", 1, steady(11, growAfterMs - 1000), 1],
    ["starts none when the load was lower in between", 1, [...steady(50, growAfterMs), { atMs: growAfterMs + 1000, load: 10 }], 1],
    ["starts none where each has as much as it is meant for", 2, steady(20, shrinkAfterMs), 2],
    ["starts no more than may be", 4, steady(1000, growAfterMs), 4],
    ["starts one at a time", 1, steady(1000, growAfterMs), 2],
    ["ends one when the rest would have had little to do for long", 3, steady(10, shrinkAfterMs), 2],
    ["ends none when that was not so for long", 3, steady(0, shrinkAfterMs - 1000), 3],
    ["ends none when the rest would soon be at their limit", 3, steady(11, shrinkAfterMs), 3],
    ["ends none of the last", 1, steady(0, shrinkAfterMs), 1],
    ["does nothing before it has seen anything", 2, [], 2],
    ["brings them up to the fewest at once", 0, [], 1],
    ["brings them down to the most at once", 6, [], 4],
  ] as const)("%s", (_, processes, samples, wanted) => {
    expect(planScale(scale, ready(processes), samples)).toBe(wanted);
  });

  it("counts on those alone that do their work", () => {
    expect(planScale(scale, { running: 3, ready: 1 }, steady(11, growAfterMs))).toBe(4);
    expect(planScale(scale, { running: 3, ready: 2 }, steady(6, shrinkAfterMs))).toBe(3);
    expect(planScale(scale, { running: 3, ready: 2 }, steady(5, shrinkAfterMs))).toBe(2);
  });

  it("keeps a fixed number, whatever the load", () => {
    expect(planScale({ min: 2, max: 2, perProcess: undefined }, ready(2), steady(1000, shrinkAfterMs))).toBe(2);
  });

  it("does not start again what it has just ended, at the same load", () => {
    const loads = Array.from({ length: 40 }, (_, load) => load);
    const ended = loads.filter((load) => planScale(scale, ready(3), steady(load, shrinkAfterMs)) === 2);
    expect(ended).toHaveLength(11);
    expect(ended.filter((load) => planScale(scale, ready(2), steady(load, shrinkAfterMs)) > 2)).toEqual([]);
  });
});
