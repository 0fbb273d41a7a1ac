import { describe, expect, it, onTestFinished, vi } from "vitest";
import { TwelveError } from "../../src/core/errors.ts";
import { onceMore, patiently } from "../../src/core/patience.ts";

const limited = (afterMs: number | null): TwelveError => new TwelveError("SERVICE_LIMITED", "slow down", { retry: { afterMs } });

/** Fails as listed, then answers; each attempt takes `takesMs` of a clock that nobody waits for. */
async function asked(failures: readonly unknown[], takesMs = 10): Promise<{ readonly calls: number; readonly waits: readonly number[]; readonly outcome: unknown }> {
  const waits: number[] = [];
  let calls = 0;
  let nowMs = 0;
  const call = async (): Promise<string> => {
    nowMs += takesMs;
    const failure = failures[calls++];
    if (failure !== undefined) throw failure as Error;
    return "answer";
  };
  const outcome = await onceMore(call, { signal: undefined, sleep: async (ms) => void waits.push(ms), nowMs: () => nowMs }).catch((error: unknown) => error);
  return { calls, waits, outcome };
}

describe("onceMore", () => {
  it("asks a second time after a failure that may pass, and not a third", async () => {
    expect(await asked([])).toEqual({ calls: 1, waits: [], outcome: "answer" });
    expect(await asked([limited(null)])).toEqual({ calls: 2, waits: [200], outcome: "answer" });
    expect(await asked([limited(1000)])).toEqual({ calls: 2, waits: [1000], outcome: "answer" });
    const second = limited(0);
    expect(await asked([limited(0), second])).toEqual({ calls: 2, waits: [0], outcome: second });
  });

  it.each([
    ["whose wait is longer than a person's", limited(1001), 10],
    ["that came late", limited(null), 1001],
    ["that a repetition cannot help", new TwelveError("SERVICE_DENIED", "no"), 10],
    ["that is a bug", new TypeError("undefined is not a function"), 10],
  ])("leaves a failure as it is %s", async (_, failure, takesMs) => {
    expect(await asked([failure], takesMs)).toEqual({ calls: 1, waits: [], outcome: failure });
  });

  it("ends with the signal's reason when it is aborted while it waits", async () => {
    const controller = new AbortController();
    const reason = new Error("gone away");
    const asking = onceMore(() => Promise.reject(limited(1000)), { signal: controller.signal });
    setImmediate(() => controller.abort(reason));
    await expect(asking).rejects.toBe(reason);
  });
});

describe("patiently", () => {
  it("asks again and says so, once for one reason", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    onTestFinished(() => void vi.restoreAllMocks());
    const told: string[] = [];
    const call = vi.fn<() => Promise<string>>().mockResolvedValue("answer").mockRejectedValueOnce(limited(1)).mockRejectedValueOnce(limited(null));
    expect(await patiently(call, { signal: new AbortController().signal, story: { note: (message) => told.push(message) } })).toBe("answer");
    expect(told).toEqual(["slow down; asking again in 0.0 s"]);
  });

  it("ends with the signal's reason when it is aborted while it waits", async () => {
    const controller = new AbortController();
    const reason = new Error("interrupted");
    await expect(patiently(() => Promise.reject(limited(60_000)), { signal: controller.signal, story: { note: () => setImmediate(() => controller.abort(reason)) } })).rejects.toBe(reason);
  });
});

describe("patiently, for somebody who waits", () => {
  const waiting = { signal: new AbortController().signal, story: { note: () => {} } };
  const unavailable = new TwelveError("SERVICE_UNAVAILABLE", "nothing answers", { retry: { afterMs: null } });

  async function attempts(patience: "limits" | "nothing", failures: readonly unknown[]): Promise<readonly [calls: number, outcome: unknown]> {
    vi.spyOn(Math, "random").mockReturnValue(0);
    onTestFinished(() => void vi.restoreAllMocks());
    let calls = 0;
    const call = async (): Promise<string> => {
      const failure = failures[calls++];
      if (failure !== undefined) throw failure as Error;
      return "answer";
    };
    const outcome = await patiently(call, { ...waiting, patience }).catch((error: unknown) => error);
    return [calls, outcome];
  }

  it("waits for a rate limit, and tells at once what is away", async () => {
    expect(await attempts("limits", [limited(0), limited(0)])).toEqual([3, "answer"]);
    expect(await attempts("limits", [limited(0), unavailable])).toEqual([2, unavailable]);
  });

  it("waits for nothing where somebody else asks again", async () => {
    const failure = limited(0);
    expect(await attempts("nothing", [failure])).toEqual([1, failure]);
  });
});
