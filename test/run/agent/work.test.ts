import { expect, it, onTestFinished, vi } from "vitest";
import type { RunEngine } from "../../../src/ports/runs.ts";
import { workInBackground } from "../../../src/run/agent/work.ts";

/** What is told while a state service takes so long to start. */
async function toldAfter(startMs: number): Promise<readonly string[]> {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const told: string[] = [];
  const work: RunEngine["work"] = (_, { onReady, signal }) => {
    setTimeout(onReady, startMs);
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
  };
  const story = { note: (message: string) => void told.push(message), warn: (message: string) => void told.push(message) };
  const working = workInBackground({ url: "pglite:state", work } as RunEngine, { kind: "runs", handler: () => Promise.resolve(null), concurrency: 1, story });
  await vi.advanceTimersByTimeAsync(startMs);
  await working.ready;
  await working.stop();
  return told;
}

it("says that runs wait where the state service takes long to start, and when they begin", async () => {
  expect(await toldAfter(5000)).toEqual(["Runs of agents wait for pglite:state to start; an embedded database is made at its first use, which takes a while", "Runs of agents begin now"]);
});

it("says nothing of a quick start", async () => {
  expect(await toldAfter(300)).toEqual([]);
});
