import { describe, expect, it } from "vitest";
import { countCrash, isHopeless, restartDelayMs } from "../../../src/run/pool/restart-plan.ts";

describe("a restart", () => {
  it("comes after a second at the earliest, later with each crash, and after half a minute at the latest", () => {
    expect([1, 2, 3, 4, 5, 6, 50].map((crashes) => restartDelayMs(crashes, 1))).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect([1, 5, 50].map((crashes) => restartDelayMs(crashes, 0))).toEqual([1000, 1000, 1000]);
    expect(restartDelayMs(3, 0.5)).toBe(4500);
  });

  it("is counted anew once the process was well for a minute", () => {
    expect(countCrash(4, { exitCode: 1, ranMs: 59_999, wasReady: true })).toBe(5);
    expect(countCrash(4, { exitCode: 1, ranMs: 60_000, wasReady: true })).toBe(1);
  });

  it.each([
    [2, false, true], [4, false, true], [5, false, true],
    [1, false, false], [6, false, false], [0, false, false], [null, false, false],
    [2, true, false], [5, true, false],
  ])("of exit code %s, ready before: %s, is hopeless: %s", (exitCode, wasReady, hopeless) => {
    expect(isHopeless({ exitCode, wasReady, ranMs: 10 })).toBe(hopeless);
  });
});
