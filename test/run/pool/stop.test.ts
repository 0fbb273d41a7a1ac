import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { stepGraceMs } from "../../../src/ports/queue.ts";
import { restMs, stopPools, type TypePool } from "../../../src/run/pool/stop.ts";
import { describeStop } from "../../../src/run/pool/tell.ts";
import type { ProcessType } from "../../../src/run/pool/type-plan.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Asked extends TypePool {
  /** When it was asked to end, from the beginning. */
  readonly atMs: readonly number[];
}

function pool(kind: TypePool["kind"], ended: Promise<void>): Asked {
  const atMs: number[] = [];
  const beganMs = performance.now();
  return { kind, ended, atMs, announceStop: () => {}, kill: () => {}, stop: () => void atMs.push(performance.now() - beganMs) };
}

it("leaves workers time to give back what does not stop, also where the servers took all of theirs", async () => {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const [web, worker] = [pool("serve", ended), pool("work", ended)];
  let lateMs = 0;
  const stopped = stopPools([web, worker], { limitMs: 60_000 + restMs, onLate: () => (lateMs = performance.now()) });
  await vi.advanceTimersByTimeAsync(60_000);
  expect([web.atMs, worker.atMs]).toEqual([[0], [60_000]]);
  await vi.advanceTimersByTimeAsync(stepGraceMs + 1000);
  expect(lateMs).toBe(0);
  await vi.advanceTimersByTimeAsync(1000);
  expect([web.atMs, worker.atMs]).toEqual([[0, 72_000], [60_000, 72_000]]);
  end();
  await stopped;
});

const type = (kind: ProcessType["kind"]): ProcessType => ({ name: kind, kind, port: 0, scale: { min: 1, max: 1, perProcess: undefined } });

it.each<{ readonly kinds: readonly ProcessType["kind"][]; readonly preStopMs: number; readonly told: string }>([
  { kinds: ["serve"], preStopMs: 0, told: "what serves agents has up to 60 s for open requests" },
  { kinds: ["serve", "work"], preStopMs: 5000, told: "what serves agents has up to 60 s for open requests, after 5 s in which new ones are still taken; the others end after it, with 12 s at least" },
  { kinds: ["work", "command"], preStopMs: 0, told: "every process has up to 72 s to end" },
])("tells each kind what it has: $told", ({ kinds, preStopMs, told }) => {
  expect(describeStop(kinds.map(type), { preStopMs, drainMs: 60_000 })).toBe(told);
});
