import { describe, expect, it } from "vitest";
import { formatReset, openBucket } from "../../../src/run/http/rate.ts";

describe("openBucket", () => {
  it("allows as many at once as the burst, and then one each time one has dripped in", () => {
    let nowMs = 0;
    const bucket = openBucket({ perMinute: 60, burst: 2, nowMs: () => nowMs });
    expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([
      { isAllowed: true, remaining: 1, fullInMs: 1000, nextInMs: 0 },
      { isAllowed: true, remaining: 0, fullInMs: 2000, nextInMs: 1000 },
      { isAllowed: false, remaining: 0, fullInMs: 2000, nextInMs: 1000 },
    ]);
    nowMs = 999;
    expect(bucket.take()).toMatchObject({ isAllowed: false, nextInMs: expect.closeTo(1, 6) });
    nowMs = 1000;
    expect(bucket.take()).toMatchObject({ isAllowed: true, remaining: 0 });
    nowMs = 3_600_000;
    expect([bucket.take().remaining, bucket.take().remaining, bucket.take().isAllowed]).toEqual([1, 0, false]);
  });

  it("lets one request through now and then where a process's share is less than one", () => {
    let nowMs = 0;
    const bucket = openBucket({ perMinute: 0.5, burst: 0.5, nowMs: () => nowMs });
    expect([bucket.limit, bucket.take().isAllowed, bucket.take().isAllowed]).toEqual([1, true, false]);
    nowMs = 120_000;
    expect(bucket.take().isAllowed).toBe(true);
  });
});

it.each([[0, "0ms"], [120, "120ms"], [999.2, "1s"], [1500, "1.5s"], [60_000, "1m0s"], [361_250, "6m1.25s"]])("writes %d milliseconds as %s", (milliseconds, text) => {
  expect(formatReset(milliseconds)).toBe(text);
});
