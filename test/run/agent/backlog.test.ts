import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type Backlog, followBacklog } from "../../../src/run/agent/backlog.ts";
import type { RunDepth } from "../../../src/ports/runs.ts";

const empty: RunDepth = { waiting: 0, running: 0, undecided: 0, oldestMs: 0 };

/** Looks at each of these in turn, at times that are so far apart. */
async function follow(depths: readonly (RunDepth | Error)[], { works = false, stepMs = 5000 } = {}) {
  const [warnings, seen, stop]: [string[], RunDepth[], AbortController] = [[], [], new AbortController()];
  onTestFinished(() => stop.abort());
  let looks = 0;
  const backlog: Backlog = followBacklog({
    works, everyMs: 1, signal: stop.signal, nowMs: () => looks * stepMs,
    story: { warn: (message) => void warnings.push(message) },
    onDepth: (depth) => void seen.push(depth),
    depth() {
      const depth = depths[looks++];
      if (depth === undefined) stop.abort();
      return depth instanceof Error ? Promise.reject(depth) : Promise.resolve(depth ?? (depths.at(-1) as RunDepth));
    },
  });
  await vi.waitFor(() => expect(stop.signal.aborted).toBe(true));
  return { warnings, seen, part: () => backlog.part() };
}

describe("the runs that wait for a worker", () => {
  it("are told once they have waited for long, and not again at each look", async () => {
    const long = { waiting: 3, running: 0, undecided: 1, oldestMs: 12_900 };
    const { warnings, seen, part } = await follow([empty, { ...long, oldestMs: 7000 }, long, long, long]);
    expect(warnings).toEqual(["Runs of agents are waiting for a worker: 3 queued, the oldest for 12 s, and 0 are worked on. Start the process of twelve.yaml that works on `runs`, or more of it: chat requests give up after 15 s"]);
    expect(seen).toContainEqual(long);
    expect(part()).toEqual({ name: "runs", isReady: true, detail: "waiting for a worker: 3 queued, the oldest for 12 s" });
    expect((await follow([long, long, long], { stepMs: 60_000 })).warnings.length).toBeGreaterThan(1);
  });

  it("are none of a readiness where there are none, and are left to the server's own part where it works on them", async () => {
    expect((await follow([empty])).part()).toEqual({ name: "runs", isReady: true, detail: "none waits for a worker" });
    expect((await follow([empty], { works: true })).part()).toBeUndefined();
  });

  it("are not told where the queue cannot be read", async () => {
    const { warnings, seen } = await follow([new Error("away"), empty]);
    expect([warnings, seen[0]]).toEqual([[], empty]);
  });
});
