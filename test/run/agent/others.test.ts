import { expect, it, vi } from "vitest";
import { type Digest, digestOf } from "../../../src/core/descriptor.ts";
import type { ToolAgents } from "../../../src/run/agent/open.ts";
import { closed, openOtherReleases } from "../../../src/run/agent/others.ts";

const [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(digestOf) as [Digest, Digest, Digest, Digest, Digest];
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function opening(): { readonly log: string[]; readonly open: (release: Digest) => Promise<ToolAgents> } {
  const names = new Map([[a, "a"], [b, "b"], [c, "c"], [d, "d"], [e, "e"]]);
  const log: string[] = [];
  const open = (release: Digest): Promise<ToolAgents> => {
    const name = names.get(release) ?? "";
    log.push(`open ${name}`);
    return Promise.resolve({ close: () => (log.push(`close ${name}`), Promise.resolve()) } as ToolAgents);
  };
  return { log, open };
}

it("opens a release once for all who use it at the same time", async () => {
  const { log, open } = opening();
  const others = openOtherReleases(open);
  const [first, second] = await Promise.all([others.enter(a), others.enter(a)]);
  expect(first.agents).toBe(second.agents);
  first.leave();
  second.leave();
  (await others.enter(a)).leave();
  expect(log).toEqual(["open a"]);
  await others.close();
  expect(log).toEqual(["open a", "close a"]);
});

it("closes the one that was unused for longest to open another, and waits where all are in use", async () => {
  const { log, open } = opening();
  const others = openOtherReleases(open, { most: 2 });
  const [first, second] = [await others.enter(a), await others.enter(b)];
  second.leave();
  const third = await others.enter(c);
  expect(log.toSorted()).toEqual(["close b", "open a", "open b", "open c"]);
  const waiting = others.enter(b);
  await settled();
  expect(log).toHaveLength(4);
  first.leave();
  first.leave();
  await waiting;
  expect(log.slice(4).toSorted()).toEqual(["close a", "open b"]);
  third.leave();
  await others.close();
});

it("closes what nobody has used for a while", async () => {
  vi.useFakeTimers();
  try {
    const { log, open } = opening();
    const others = openOtherReleases(open, { idleMs: 1000 });
    (await others.enter(a)).leave();
    await vi.advanceTimersByTimeAsync(999);
    const again = await others.enter(a);
    await vi.advanceTimersByTimeAsync(5000);
    expect(log).toEqual(["open a"]);
    again.leave();
    await vi.advanceTimersByTimeAsync(1000);
    expect(log).toEqual(["open a", "close a"]);
  } finally {
    vi.useRealTimers();
  }
});

it("tries anew what could not be opened", async () => {
  const { log, open } = opening();
  let failures = 1;
  const others = openOtherReleases((release) => (failures-- > 0 ? Promise.reject(new Error("away")) : open(release)), { most: 1 });
  await expect(others.enter(a)).rejects.toThrow("away");
  (await others.enter(a)).leave();
  expect(log).toEqual(["open a"]);
});

it("closes none under whoever is just coming in, however many come at once", async () => {
  const { log, open } = opening();
  const others = openOtherReleases(open);
  const entering = [a, b, c, d, e].map((release) => others.enter(release));
  const [first] = await Promise.all(entering.slice(0, 4));
  await settled();
  expect(log).toEqual(["open a", "open b", "open c", "open d"]);
  first?.leave();
  await entering[4];
  expect(log.slice(4).toSorted()).toEqual(["close a", "open e"]);
});

it("gives a place that is left to one of those who wait", async () => {
  const { log, open } = opening();
  const others = openOtherReleases(open, { most: 1 });
  const first = await others.enter(a);
  const [second, third] = [others.enter(b), others.enter(c)];
  await settled();
  first.leave();
  const entered = await second;
  await settled();
  expect(log.toSorted()).toEqual(["close a", "open a", "open b"]);
  entered.leave();
  (await third).leave();
  expect(log.slice(3).toSorted()).toEqual(["close b", "open c"]);
});

it("does not close the unused one that somebody comes back to in the moment in which another is opened", async () => {
  const { log, open } = opening();
  const others = openOtherReleases(open, { most: 1 });
  (await others.enter(a)).leave();
  const [again, another] = [others.enter(a), others.enter(b)];
  const entered = await again;
  await settled();
  expect(log).toEqual(["open a"]);
  entered.leave();
  await another;
  expect(log.slice(1).toSorted()).toEqual(["close a", "open b"]);
});

it("opens nothing any more once it is closed, and lets nobody wait", async () => {
  const { log, open } = opening();
  const others = openOtherReleases(open, { most: 1 });
  await others.enter(a);
  const waiting = others.enter(b).catch((error: unknown) => error);
  await settled();
  await others.close();
  expect(await waiting).toBe(closed);
  await expect(others.enter(c)).rejects.toBe(closed);
  expect(log).toEqual(["open a", "close a"]);
});
