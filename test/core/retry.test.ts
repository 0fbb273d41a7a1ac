import { describe, expect, it } from "vitest";
import { TwelveError } from "../../src/core/errors.ts";
import { retrying, type RetryTools } from "../../src/core/retry.ts";

const limited = (afterMs: number | null): TwelveError => new TwelveError("SERVICE_LIMITED", "slow down", { retry: { afterMs } });

interface Trial {
  readonly calls: number;
  readonly waits: readonly number[];
  readonly told: readonly (readonly [string, number, number])[];
  readonly outcome: unknown;
}

/** Calls that fail as listed and then succeed; nothing really waits. */
async function attempt(failures: readonly unknown[], { random = 1, ...tools }: { readonly random?: number } & Partial<Pick<RetryTools, "sleep" | "successes" | "isWorthIt">> = {}): Promise<Trial> {
  const waits: number[] = [];
  const told: (readonly [string, number, number])[] = [];
  let calls = 0;
  const call = async (): Promise<string> => {
    const failure = failures[calls++];
    if (failure !== undefined) throw failure as Error;
    return "answer";
  };
  const sleep = async (ms: number): Promise<void> => void waits.push(ms);
  const outcome = await retrying(call, { sleep, random: () => random, onRetry: (failure, waitMs, times) => told.push([failure.message, waitMs, times]), ...tools }).catch((error: unknown) => error);
  return { calls, waits, told, outcome };
}

describe("retrying", () => {
  it("asks once when the call succeeds", async () => {
    expect(await attempt([])).toEqual({ calls: 1, waits: [], told: [], outcome: "answer" });
  });

  it("tells of each wait before it waits", async () => {
    expect(await attempt([limited(null), limited(null)])).toEqual({ calls: 3, waits: [500, 1000], told: [["slow down", 500, 1], ["slow down", 1000, 2]], outcome: "answer" });
  });

  it("gives up where the wait is not worth it, and tells of no such wait", async () => {
    const asked: (readonly [number, number])[] = [];
    const isWorthIt = (waitMs: number, attempt: number): boolean => asked.push([waitMs, attempt]) < 2;
    const last = limited(4000);
    expect(await attempt([limited(null), last], { isWorthIt })).toEqual({ calls: 2, waits: [500], told: [["slow down", 500, 1]], outcome: last });
    expect(asked).toEqual([[500, 1], [4000, 2]]);
  });

  it("doubles the wait up to half a minute, and gives up after seven attempts with the last failure", async () => {
    const failures = Array.from({ length: 10 }, () => limited(null));
    const { calls, waits, outcome } = await attempt(failures);
    expect(calls).toBe(7);
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000]);
    expect(outcome).toBe(failures[6]);
  });

  it.each([[0, [0, 0, 0]], [0.5, [250, 500, 1000]], [0.999, [500, 999, 1998]]])("spreads its waits from nothing to the full one: %d of it", async (random, waits) => {
    expect((await attempt([limited(null), limited(null), limited(null)], { random })).waits).toEqual(waits);
  });

  it("never asks again before the time that the service named", async () => {
    expect((await attempt([limited(7000), limited(20_000)], { random: 0 })).waits).toEqual([7000, 20_000]);
    expect((await attempt([limited(7000), limited(20_000)], { random: 1 })).waits).toEqual([7000, 20_000]);
  });

  it("backs off all the same when the service names a time that does not help", async () => {
    expect((await attempt([limited(0), limited(0), limited(1)])).waits).toEqual([500, 1000, 2000]);
  });

  it("is patient with a service that limits the rate and answers others meanwhile, and with no other failure", async () => {
    let answered = 0;
    const tools = { successes: () => ++answered };
    expect(await attempt(Array.from({ length: 30 }, () => limited(null)), tools)).toMatchObject({ calls: 31, outcome: "answer" });
    const failed = new TwelveError("SERVICE_FAILED", "internal error", { retry: { afterMs: null } });
    expect(await attempt(Array.from({ length: 30 }, () => failed), tools)).toMatchObject({ calls: 7, outcome: failed });
  });

  it("leaves it to a person when the service wants more than five minutes", async () => {
    const failure = limited(5 * 60_000 + 1);
    expect(await attempt([failure])).toEqual({ calls: 1, waits: [], told: [], outcome: failure });
    expect((await attempt([limited(5 * 60_000)])).outcome).toBe("answer");
  });

  it.each([
    ["a failure that a repetition cannot help", new TwelveError("SERVICE_DENIED", "no")],
    ["a bug", new TypeError("undefined is not a function")],
    ["what is no error at all", "text"],
  ])("does not repeat %s", async (_, failure) => {
    expect(await attempt([failure])).toEqual({ calls: 1, waits: [], told: [], outcome: failure });
  });

  it("stops repeating when a later failure is of another kind", async () => {
    const denied = new TwelveError("SERVICE_DENIED", "no");
    expect(await attempt([limited(1000), denied, limited(1000)])).toMatchObject({ calls: 2, outcome: denied });
  });

  it("does not call again when its wait is cut short", async () => {
    const reason = new Error("interrupted");
    expect(await attempt([limited(1000), limited(1000)], { sleep: () => Promise.reject(reason) })).toMatchObject({ calls: 1, outcome: reason });
  });
});
