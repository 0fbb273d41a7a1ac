import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { keepLooking } from "../../src/run/watch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("looks at once and every so often, until it is ended", async () => {
  const stop = new AbortController();
  const look = vi.fn<() => Promise<void>>(() => Promise.resolve());
  keepLooking(look, { signal: stop.signal, everyMs: 1000, soonMs: 100 });
  await vi.advanceTimersByTimeAsync(2999);
  expect(look).toHaveBeenCalledTimes(3);
  stop.abort();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(look).toHaveBeenCalledTimes(3);
});

it("begins no look before the last one has ended, and goes on after one that failed", async () => {
  const { promise, reject } = Promise.withResolvers<void>();
  const look = vi.fn<() => Promise<void>>(() => Promise.resolve()).mockReturnValueOnce(promise);
  const { onFailure } = keepLooking(look, { signal: new AbortController().signal, everyMs: 1000, soonMs: 100 });
  onFailure();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(look).toHaveBeenCalledTimes(1);
  reject(new Error("a bug"));
  await vi.advanceTimersByTimeAsync(100);
  expect(look).toHaveBeenCalledTimes(2);
});

it("looks soon after a failure, and a few times more, since what is remembered is some seconds old", async () => {
  const look = vi.fn<() => Promise<void>>(() => Promise.resolve());
  const { onFailure } = keepLooking(look, { signal: new AbortController().signal, everyMs: 60_000, soonMs: 1000 });
  await vi.advanceTimersByTimeAsync(0);
  // Others fail meanwhile, which must not put the look off.
  for (let failed = 0; failed < 3; failed++) {
    onFailure();
    await vi.advanceTimersByTimeAsync(400);
  }
  expect(look).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(look).toHaveBeenCalledTimes(9);
});
