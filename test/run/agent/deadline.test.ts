import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/adapters/system/clock.ts";
import { RunLimits } from "../../../src/manifest/schema.ts";
import { openRunTime } from "../../../src/run/agent/deadline.ts";

const life = new AbortController().signal;

describe("the time of a run", () => {
  it("is not up at once where it is longer than a timer can be", async () => {
    const limit = openRunTime(systemClock, Date.now(), 3_000_000).limit(life);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(limit?.isUp()).toBe(false);
    expect(limit?.signal.aborted).toBe(false);
  });

  it("can be as long as a timer, and no longer", () => {
    expect(RunLimits.safeParse({ seconds: 2_000_000 }).success).toBe(true);
    expect(RunLimits.safeParse({ seconds: 2_200_000 }).success).toBe(false);
  });
});
