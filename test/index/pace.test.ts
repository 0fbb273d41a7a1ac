import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { openPace, type Pace, type PaceLimits } from "../../src/index/pace.ts";

/** A clock that goes on only while everybody sleeps: to the moment when the first one wakes. */
function fakeTime(): { readonly nowMs: () => number; readonly sleep: (ms: number) => Promise<void>; readonly run: () => Promise<void> } {
  let now = 0;
  const sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  return {
    nowMs: () => now,
    sleep: (ms) => new Promise((resolve) => sleepers.push({ at: now + ms, wake: resolve })),
    async run() {
      await nextTurn();
      while (sleepers.length > 0) {
        sleepers.sort((left, right) => left.at - right.at);
        const next = sleepers.shift();
        now = Math.max(now, next?.at ?? 0);
        next?.wake();
        await nextTurn();
      }
    },
  };
}

interface Started {
  readonly name: number;
  readonly atMs: number;
  readonly tokens: number;
}

/** Requests of some tokens, each taking `takesMs`; all are there from the beginning. */
async function runAll(limits: PaceLimits, requests: readonly number[], { takesMs = 0, before }: { readonly takesMs?: number; readonly before?: (pace: Pace) => void } = {}): Promise<{ readonly started: readonly Started[]; readonly mostAtOnce: number }> {
  const time = fakeTime();
  const pace = openPace(limits, time);
  const started: Started[] = [];
  let atOnce = 0;
  let mostAtOnce = 0;
  before?.(pace);
  const all = requests.map((tokens, name) => pace.run(tokens, async () => {
    started.push({ name, tokens, atMs: time.nowMs() });
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    await (takesMs === 0 ? Promise.resolve() : time.sleep(takesMs));
    atOnce--;
  }));
  await time.run();
  await Promise.all(all);
  return { started, mostAtOnce };
}
const many = (count: number, tokens = 1): readonly number[] => Array.from({ length: count }, () => tokens);

/** The most that any minute holds. */
function busiestMinute(started: readonly Started[], weight: (each: Started) => number): number {
  return Math.max(...started.map(({ atMs }) => started.filter((other) => other.atMs >= atMs && other.atMs < atMs + 60_000).reduce((sum, each) => sum + weight(each), 0)));
}

describe("the pace", () => {
  it("lets everything through at once where there is room", async () => {
    const { started, mostAtOnce } = await runAll({ requestsAtOnce: 10 }, many(10), { takesMs: 1000 });
    expect(started.map(({ atMs }) => atMs)).toEqual(many(10, 0));
    expect(mostAtOnce).toBe(10);
  });

  it("has no more requests under way than it may, and no fewer while some wait", async () => {
    const { started, mostAtOnce } = await runAll({ requestsAtOnce: 3 }, many(10), { takesMs: 1000 });
    expect(mostAtOnce).toBe(3);
    expect(started.map(({ atMs }) => atMs)).toEqual([0, 0, 0, 1000, 1000, 1000, 2000, 2000, 2000, 3000]);
  });

  it("starts requests in the order in which they came", async () => {
    for (const limits of [{ requestsAtOnce: 2 }, { requestsAtOnce: 4, requestsPerMinute: 30 }, { requestsAtOnce: 4, tokensPerMinute: 600 }]) {
      const { started } = await runAll(limits, [50, 1, 200, 3, 1, 100, 2, 1], { takesMs: 300 });
      expect(started.map(({ name }) => name)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    }
  });

  it("gives back the place of a request that failed, and passes its failure on", async () => {
    const pace = openPace({ requestsAtOnce: 1 }, fakeTime());
    const failure = new Error("refused");
    const first = pace.run(1, () => Promise.reject(failure));
    const second = pace.run(1, async () => "answer");
    await expect(first).rejects.toBe(failure);
    expect(await second).toBe("answer");
  });

  it.each([1, 2, 7, 59, 60, 61, 600, 6000])("starts no more than %i requests in any minute, and not many fewer", async (requestsPerMinute) => {
    const wanted = Math.min(1200, requestsPerMinute * 3);
    const { started } = await runAll({ requestsAtOnce: 1000, requestsPerMinute }, many(wanted));
    expect(busiestMinute(started, () => 1)).toBeLessThanOrEqual(requestsPerMinute);
    const lastMs = started.at(-1)?.atMs ?? 0;
    expect(lastMs).toBeLessThanOrEqual(((wanted - 1) / requestsPerMinute) * 60_000 * 1.03 + 1000);
  });

  it("keeps to the second as well: a service that counts these sees no burst", async () => {
    const { started } = await runAll({ requestsAtOnce: 1000, requestsPerMinute: 600 }, many(300));
    const busiest = Math.max(...started.map(({ atMs }) => started.filter((other) => other.atMs >= atMs && other.atMs < atMs + 1000).length));
    expect(busiest).toBeLessThanOrEqual(20);
  });

  it("sends no more tokens in any minute than it may", async () => {
    const { started } = await runAll({ requestsAtOnce: 100, tokensPerMinute: 60_000 }, many(400, 500));
    expect(busiestMinute(started, ({ tokens }) => tokens)).toBeLessThanOrEqual(60_000);
    expect(started.at(-1)?.atMs).toBeLessThanOrEqual((399 / 120) * 60_000 * 1.03 + 1000);
  });

  it("lets a request through that is larger than a second's worth, and pays it back before the next", async () => {
    const { started } = await runAll({ requestsAtOnce: 4, tokensPerMinute: 60_000 }, [30_000, 10, 30_000, 10]);
    const [first = 0, second = 0, third = 0, fourth = 0] = started.map(({ atMs }) => atMs);
    expect(first).toBe(0);
    expect(second).toBeGreaterThanOrEqual(29_000);
    expect(second).toBeLessThan(32_000);
    expect(third).toBeGreaterThanOrEqual(second);
    expect(fourth - third).toBeGreaterThanOrEqual(29_000);
  });

  it("lets a request through that is larger than a whole minute's worth", async () => {
    const { started } = await runAll({ requestsAtOnce: 1, tokensPerMinute: 100 }, [1000, 1]);
    expect(started[0]?.atMs).toBe(0);
    expect(started[1]?.atMs).toBeGreaterThanOrEqual(590_000);
  });

  it("holds both limits at once", async () => {
    const { started } = await runAll({ requestsAtOnce: 100, requestsPerMinute: 60, tokensPerMinute: 30_000 }, [...many(100, 10), ...many(100, 450)]);
    expect(busiestMinute(started, () => 1)).toBeLessThanOrEqual(60);
    expect(busiestMinute(started, ({ tokens }) => tokens)).toBeLessThanOrEqual(30_000);
  });

  it("starts nothing during the rest that a service has asked for, and the longest rest counts", async () => {
    const { started } = await runAll({ requestsAtOnce: 4 }, many(4), {
      before: (pace) => {
        pace.rest(5000);
        pace.rest(20_000);
        pace.rest(1000);
      },
    });
    expect(started.map(({ atMs }) => atMs)).toEqual(many(4, 20_000));
  });

  it("obeys a rest that begins while requests wait for their share", async () => {
    const time = fakeTime();
    const pace = openPace({ requestsAtOnce: 2, requestsPerMinute: 60 }, time);
    const started: number[] = [];
    const all = [0, 1, 2].map((name) => pace.run(1, async () => {
      started.push(time.nowMs());
      if (name === 0) pace.rest(30_000);
    }));
    await time.run();
    await Promise.all(all);
    expect(started[0]).toBe(0);
    expect(started[1]).toBeGreaterThanOrEqual(30_000);
  });

  it("has half as many requests under way after a rest, and as many as before when enough have succeeded", async () => {
    const time = fakeTime();
    const pace = openPace({ requestsAtOnce: 4 }, time);
    let atOnce = 0;
    const widths: number[] = [];
    const all = many(24).map((_, name) => pace.run(1, async () => {
      widths[name] = ++atOnce;
      await time.sleep(1000);
      // The first four are refused together.
      if (name < 4) pace.rest(1000);
      atOnce--;
    }));
    await time.run();
    await Promise.all(all);
    expect(Math.max(...widths.slice(0, 4))).toBe(4);
    expect(Math.max(...widths.slice(4, 8))).toBeLessThanOrEqual(3);
    expect(Math.max(...widths.slice(-8))).toBe(4);
  });

  it("refuses everybody who waits as soon as it is stopped, whatever they wait for", async () => {
    const time = fakeTime();
    const reason = new Error("the first failure");
    const pace = openPace({ requestsAtOnce: 2, requestsPerMinute: 1 }, time);
    let calls = 0;
    const all = many(5).map(() => pace.run(1, async () => void calls++));
    await Promise.allSettled(all.slice(0, 1));
    pace.stop(reason);
    expect(await Promise.allSettled(all)).toEqual([{ status: "fulfilled", value: undefined }, ...many(4).map(() => ({ status: "rejected", reason }))]);
    await expect(pace.run(1, async () => void calls++)).rejects.toBe(reason);
    expect([calls, time.nowMs()]).toEqual([1, 0]);
  });

  it("ends when its sleep is cut short", async () => {
    const reason = new Error("interrupted");
    const pace = openPace({ requestsAtOnce: 4, requestsPerMinute: 1 }, { nowMs: () => 0, sleep: () => Promise.reject(reason) });
    expect(await pace.run(1, async () => "first")).toBe("first");
    await expect(pace.run(1, async () => "second")).rejects.toBe(reason);
  });
});
