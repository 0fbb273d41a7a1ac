import { describe, expect, it, onTestFinished, vi } from "vitest";
import { rememberLook } from "../../src/run/look.ts";

function looking(answers: readonly (string | Error | Promise<string>)[], paid?: { readonly failures: () => number }) {
  let nowMs = 0;
  let looks = 0;
  const look = rememberLook(async () => {
    const answer = answers[Math.min(looks++, answers.length - 1)];
    if (answer instanceof Error) throw answer;
    return answer ?? "";
  }, { who: "model x", nowMs: () => nowMs, paid });
  return { look, looks: () => looks, pass: (ms: number) => void (nowMs += ms) };
}

describe("rememberLook", () => {
  it("looks once for all who ask within a few seconds", async () => {
    const { look, looks, pass } = looking(["there"]);
    expect(await Promise.all([look(), look()])).toEqual([{ detail: "there" }, { detail: "there" }]);
    pass(4999);
    await look();
    expect(looks()).toBe(1);
    pass(1);
    await look();
    expect(looks()).toBe(2);
  });

  it("looks sooner again at what was away", async () => {
    const failure = new Error("away");
    const { look, looks, pass } = looking([failure, "there"]);
    expect(await look()).toEqual({ failure });
    pass(999);
    expect(await look()).toEqual({ failure });
    pass(1);
    expect(await look()).toEqual({ detail: "there" });
    expect(looks()).toBe(2);
  });

  it("looks at what costs money once in ten minutes, and soon again after a real request failed", async () => {
    let failures = 0;
    const { look, looks, pass } = looking(["there"], { failures: () => failures });
    for (let second = 0; second < 600; second++) {
      await look();
      pass(1000);
    }
    expect(looks()).toBe(1);
    await look();
    expect(looks()).toBe(2);
    failures++;
    pass(4999);
    await look();
    expect(looks()).toBe(2);
    pass(1);
    await look();
    expect(looks()).toBe(3);
    // It was there; only the next failure is a reason to look again.
    pass(60_000);
    await look();
    expect(looks()).toBe(3);
  });

  it("looks every few seconds at what costs money and is away, so that its return is seen", async () => {
    const { look, looks, pass } = looking([new Error("away"), "there"], { failures: () => 0 });
    await look();
    pass(4999);
    await look();
    expect(looks()).toBe(1);
    pass(1);
    expect(await look()).toEqual({ detail: "there" });
    expect(looks()).toBe(2);
  });

  it("keeps nobody waiting for a slow answer: tells what is known, and the news to who asks next", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { promise, reject } = Promise.withResolvers<string>();
    const { look, pass } = looking(["there", promise]);
    await look();
    pass(5000);
    const early = look();
    await vi.advanceTimersByTimeAsync(700);
    expect(await early).toEqual({ detail: "there" });
    const failure = new Error("away");
    reject(failure);
    await vi.advanceTimersByTimeAsync(0);
    expect(await look()).toEqual({ failure });
  });

  it("takes a service that never answers for one that is away", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { look } = looking([new Promise<string>(() => {})]);
    const asked = look();
    await vi.advanceTimersByTimeAsync(5000);
    expect(await asked).toMatchObject({ failure: { code: "SERVICE_TIMEOUT", message: "model x did not answer within 5 s" } });
  });
});
