import { describe, expect, it } from "vitest";
import { inTime } from "../../src/core/deadline.ts";

const never = (): Promise<never> => new Promise(() => {});
const who = "tei+http://127.0.0.1:8080";

describe("inTime", () => {
  it("gives what the work gives, and fails as it fails", async () => {
    expect(await inTime(() => Promise.resolve("answer"), { limitMs: 60_000, who })).toBe("answer");
    await expect(inTime(() => Promise.reject(new Error("broken")), { limitMs: 60_000, who })).rejects.toThrow("broken");
  });

  it("ends work that takes too long, and tells it so", async () => {
    let told: unknown;
    const work = (signal: AbortSignal): Promise<never> => {
      signal.addEventListener("abort", () => (told = signal.reason));
      return never();
    };
    const failure = { code: "SERVICE_TIMEOUT", message: `${who} did not answer within 0.005 s`, retry: { afterMs: null } };
    await expect(inTime(work, { limitMs: 5, who })).rejects.toMatchObject(failure);
    expect(told).toMatchObject(failure);
  });

  it("ends with the reason of its own signal, also where the work does not listen", async () => {
    const controller = new AbortController();
    const reason = new Error("stopped");
    const ended = inTime(never, { limitMs: 60_000, who, signal: controller.signal });
    controller.abort(reason);
    await expect(ended).rejects.toBe(reason);
    await expect(inTime(never, { limitMs: 60_000, who, signal: controller.signal })).rejects.toBe(reason);
  });
});
