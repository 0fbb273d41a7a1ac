import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { eitherOf, unlessAborted } from "../../src/core/abort.ts";

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

describe("eitherOf", () => {
  it("is aborted with the first of them, for its reason, and lets go of the others", () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const { signal } = eitherOf(one.signal, undefined, other.signal);
    other.abort(reason);
    one.abort(new Error("later"));
    expect([signal.aborted, signal.reason]).toEqual([true, reason]);
    expect([one, other].map(({ signal: source }) => getEventListeners(source, "abort").length)).toEqual([0, 0]);
  });

  it("is aborted at once where one of them is", () => {
    const open = new AbortController().signal;
    expect(eitherOf(open, AbortSignal.abort(reason)).signal.reason).toBe(reason);
    expect(getEventListeners(open, "abort")).toEqual([]);
  });

  it("is aborted no more once it has left", () => {
    const controller = new AbortController();
    const { signal, leave } = eitherOf(controller.signal);
    leave();
    controller.abort(reason);
    expect(signal.aborted).toBe(false);
  });
});
