import { describe, expect, it } from "vitest";
import { mapAhead, startedNow } from "../../src/core/ahead.ts";

/** Calls that end when the test says so, one gate an item. */
function gated(): { readonly map: (item: number) => Promise<string>; readonly started: number[]; readonly open: (item: number) => void; readonly fail: (item: number, failure: Error) => void } {
  const gates = new Map<number, PromiseWithResolvers<string>>();
  const started: number[] = [];
  const gateOf = (item: number): PromiseWithResolvers<string> => {
    const gate = gates.get(item) ?? Promise.withResolvers<string>();
    gates.set(item, gate);
    return gate;
  };
  return {
    map: (item) => {
      started.push(item);
      return gateOf(item).promise;
    },
    started,
    open: (item) => gateOf(item).resolve(`result ${item}`),
    fail: (item, failure) => gateOf(item).reject(failure),
  };
}
const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

describe("mapping ahead", () => {
  it("gives results in the order of the items, whatever ends first", async () => {
    const { map, open } = gated();
    for (const item of [3, 1, 2]) open(item);
    expect(await Array.fromAsync(mapAhead([1, 2, 3], 2, map))).toEqual(["result 1", "result 2", "result 3"]);
  });

  it("takes items that come over time, and gives nothing for none", async () => {
    async function* items(): AsyncGenerator<number> {
      for (const item of [1, 2, 3, 4]) yield await Promise.resolve(item);
    }
    expect(await Array.fromAsync(mapAhead(items(), 3, async (item) => item * 2))).toEqual([2, 4, 6, 8]);
    expect(await Array.fromAsync(mapAhead([], 3, async (item) => item))).toEqual([]);
  });

  it("has as many calls under way as it may, and not one more", async () => {
    const { map, started, open } = gated();
    const results = mapAhead([1, 2, 3, 4, 5], 2, map);
    const first = results.next();
    await turns();
    expect(started).toEqual([1, 2]);
    open(2);
    await turns();
    expect(started).toEqual([1, 2]);
    open(1);
    expect(await first).toEqual({ done: false, value: "result 1" });
    const second = results.next();
    await turns();
    expect(started).toEqual([1, 2, 3]);
    expect(await second).toEqual({ done: false, value: "result 2" });
    for (const item of [3, 4, 5]) open(item);
    expect(await Array.fromAsync(results)).toEqual(["result 3", "result 4", "result 5"]);
  });

  it("reads no further item while nobody asks for results", async () => {
    let read = 0;
    function* items(): Generator<number> {
      for (;;) yield ++read;
    }
    const results = mapAhead(items(), 4, async (item) => item);
    await results.next();
    await turns();
    expect(read).toBe(4);
    await results.return(undefined);
  });

  it("throws a failure where its result would have come, after those before it", async () => {
    const { map, open, fail } = gated();
    const failure = new Error("second");
    fail(2, failure);
    for (const item of [1, 3]) open(item);
    const seen: string[] = [];
    await expect(async () => {
      for await (const result of mapAhead([1, 2, 3], 3, map)) seen.push(result);
    }).rejects.toBe(failure);
    expect(seen).toEqual(["result 1"]);
  });

  it("waits for the calls under way before it passes a failure on, and starts no more", async () => {
    const { map, started, open, fail } = gated();
    const failure = new Error("first");
    let isOver = false;
    const all = Array.fromAsync(mapAhead([1, 2, 3, 4], 2, map)).finally(() => (isOver = true));
    all.catch(() => {});
    fail(1, failure);
    await turns();
    expect(isOver).toBe(false);
    open(2);
    await expect(all).rejects.toBe(failure);
    expect(started).toEqual([1, 2]);
  });

  it("lets the other failures of calls under way go", async () => {
    const { map, fail } = gated();
    const failure = new Error("first");
    fail(1, failure);
    fail(2, new Error("second"));
    await expect(Array.fromAsync(mapAhead([1, 2, 3], 2, map))).rejects.toBe(failure);
  });

  it("passes on what the items fail with, when the calls under way have ended", async () => {
    const { map, open } = gated();
    const failure = new Error("no more items");
    function* items(): Generator<number> {
      yield 1;
      throw failure;
    }
    let isOver = false;
    const all = Array.fromAsync(mapAhead(items(), 3, map)).finally(() => (isOver = true));
    all.catch(() => {});
    await turns();
    expect(isOver).toBe(false);
    open(1);
    await expect(all).rejects.toBe(failure);
  });

  it("closes the items and waits for the calls under way when its reader leaves early", async () => {
    const { map, open, started } = gated();
    let isClosed = false;
    function* items(): Generator<number> {
      try {
        for (let item = 1; ; item++) yield item;
      } finally {
        isClosed = true;
      }
    }
    open(1);
    const results = mapAhead(items(), 3, map);
    await results.next();
    let hasLeft = false;
    const left = results.return(undefined).then(() => (hasLeft = true));
    await turns();
    expect([isClosed, hasLeft]).toEqual([true, false]);
    open(2);
    open(3);
    await left;
    expect(started).toEqual([1, 2, 3]);
  });
});

describe("starting now", () => {
  async function* counting(seen: number[]): AsyncGenerator<number, void> {
    for (let i = 1; i <= 3; i++) {
      seen.push(i);
      yield i;
    }
  }

  it("asks for the first item before anyone reads, and gives them all in order", async () => {
    const seen: number[] = [];
    const items = startedNow(counting(seen));
    expect(seen).toEqual([1]);
    expect(await Array.fromAsync(items)).toEqual([1, 2, 3]);
  });

  it("fails where it is read, and not before", async () => {
    const failure = new Error("no more");
    // oxlint-disable-next-line require-yield
    const items = startedNow((async function* (): AsyncGenerator<number, void> {
      throw failure;
    })());
    await new Promise((resolve) => setImmediate(resolve));
    await expect(Array.fromAsync(items)).rejects.toBe(failure);
  });

  it("ends at once where there is nothing", async () => {
    expect(await Array.fromAsync(startedNow((async function* (): AsyncGenerator<number, void> {})()))).toEqual([]);
  });
});
