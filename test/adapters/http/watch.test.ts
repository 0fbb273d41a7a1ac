import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { startWatch, type Watch } from "../../../src/adapters/http/watch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const tooSlow = new Error("too slow");
function started(signal?: AbortSignal): Watch {
  return startWatch({ signal, timeoutMs: 100, tooSlow: () => tooSlow });
}

it("ends what is silent for too long, from the last sign of life on", () => {
  const watch = started();
  vi.advanceTimersByTime(90);
  watch.restart();
  vi.advanceTimersByTime(90);
  expect(watch.signal.aborted).toBe(false);
  vi.advanceTimersByTime(10);
  expect(watch.signal.reason).toBe(tooSlow);
});

it("does not hold the reader's time against the service", () => {
  const watch = started();
  watch.pause();
  vi.advanceTimersByTime(1000);
  watch.restart();
  vi.advanceTimersByTime(90);
  expect(watch.signal.aborted).toBe(false);
  vi.advanceTimersByTime(10);
  expect(watch.signal.reason).toBe(tooSlow);
});

it("ends with the caller's reason, and hears nothing after it is closed", () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const [watch, closed] = [started(controller.signal), started(controller.signal)];
  closed.close();
  controller.abort(reason);
  vi.advanceTimersByTime(1000);
  expect(watch.signal.reason).toBe(reason);
  expect(closed.signal.aborted).toBe(false);
});
