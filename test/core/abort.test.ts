import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { unlessAborted } from "../../src/core/abort.ts";

const never = (): Promise<never> => new Promise(() => {});
const reason = new Error("stopped");

describe("unlessAborted", () => {
  it.each([["a signal", new AbortController().signal], ["no signal", undefined]])("gives what the work gives, and fails as it fails, with %s", async (_, signal) => {
    expect(await unlessAborted(() => Promise.resolve("answer"), signal)).toBe("answer");
    await expect(unlessAborted(() => Promise.reject(new Error("broken")), signal)).rejects.toThrow("broken");
    expect(signal === undefined ? [] : getEventListeners(signal, "abort")).toEqual([]);
  });

  it("ends with the signal's reason, and leaves work that does not listen to itself", async () => {
    const controller = new AbortController();
    const { promise: work, reject: fail } = Promise.withResolvers<never>();
    const ended = unlessAborted(() => work, controller.signal);
    controller.abort(reason);
    await expect(ended).rejects.toBe(reason);
    // Nobody waits for it any more; without a listener this would end the test run.
    fail(new Error("too late"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });

  it("begins nothing for a signal that is aborted already", async () => {
    let isBegun = false;
    const work = (): Promise<never> => {
      isBegun = true;
      return never();
    };
    await expect(unlessAborted(work, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(isBegun).toBe(false);
  });
});
