import { describe, expect, it } from "vitest";
import { countCrash, type Ending, isHopeless, restartDelayMs } from "../../../src/run/pool/restart-plan.ts";

const ending = (how: Partial<Ending>): Ending => ({ exitCode: null, signal: null, ranMs: 5000, servedMs: undefined, ...how });

describe("a restart", () => {
  it("after a failure comes after a second at the earliest, later with each one, and after half a minute at the latest", () => {
    expect([1, 2, 3, 4, 5, 6, 50].map((crashes) => restartDelayMs(crashes, { ranMs: 10 }, 1))).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect([1, 5, 50].map((crashes) => restartDelayMs(crashes, { ranMs: 10 }, 0))).toEqual([1000, 1000, 1000]);
    expect(restartDelayMs(3, { ranMs: 10 }, 0.5)).toBe(4500);
  });

  it("of what was well comes at once, though not twice in a second", () => {
    expect([200, 1000, 60_000].map((ranMs) => restartDelayMs(0, { ranMs }, 1))).toEqual([800, 0, 0]);
  });

  it.each([
    ["that did not begin its work", 2, { exitCode: 1 }, 3],
    ["soon after it began its work", 2, { exitCode: 1, servedMs: 9999 }, 3],
    ["after it served well", 2, { exitCode: 1, servedMs: 10_000 }, 0],
    ["by a signal of its own doing", 2, { signal: "SIGABRT", servedMs: 500 }, 3],
    ["killed from outside while it served", 4, { signal: "SIGKILL", servedMs: 1 }, 0],
    ["killed from outside in its start", 4, { signal: "SIGKILL" }, 0],
    ["that could not be started", 1, {}, 2],
  ] as const)("counts an end %s", (_, before, how, after) => {
    expect(countCrash(before, ending(how), true)).toBe(after);
  });

  it("counts a killed start of a type that has never begun its work: there is no room for it, it seems", () => {
    expect(countCrash(1, ending({ signal: "SIGKILL" }), false)).toBe(2);
  });

  it.each([
    [2, false, true], [4, false, true], [5, false, true],
    [1, false, false], [6, false, false], [0, false, false], [null, false, false],
    [2, true, false], [5, true, false],
  ])("of exit code %s, ready before: %s, is hopeless: %s", (exitCode, wasReady, hopeless) => {
    expect(isHopeless({ exitCode }, wasReady)).toBe(hopeless);
  });
});
