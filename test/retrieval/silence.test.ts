import { expect, it, vi } from "vitest";
import { TwelveError } from "../../src/core/errors.ts";
import { unlessSilent } from "../../src/retrieval/silence.ts";

const never = (): Promise<never> => new Promise(() => {});
const who = "postgres://host/database";

it("does not wait for a service that says nothing at all", async () => {
  await expect(unlessSilent(never, { who, ask: never, patienceMs: 1, limitMs: 5 })).rejects.toMatchObject({ code: "SERVICE_TIMEOUT", message: "postgres://host/database did not answer within 0.005 s", retry: { afterMs: null } });
});

it("fails as the service does when it is asked", async () => {
  const failure = new TwelveError("SERVICE_UNAVAILABLE", "gone");
  await expect(unlessSilent(never, { who, ask: () => Promise.reject(failure), patienceMs: 1 })).rejects.toBe(failure);
});

it("waits for slow work as long as small questions are answered, and asks none after it", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const ask = vi.fn<() => Promise<void>>(async () => {
    if (ask.mock.calls.length === 3) resolve("found");
  });
  expect(await unlessSilent(() => promise, { who, ask, patienceMs: 1 })).toBe("found");
  expect(ask).toHaveBeenCalledTimes(3);
});

it("asks nothing where the work is quick, and fails as the work does", async () => {
  const ask = vi.fn<() => Promise<void>>();
  const failure = new Error("no");
  await expect(unlessSilent(() => Promise.reject(failure), { who, ask })).rejects.toBe(failure);
  expect(ask).not.toHaveBeenCalled();
});
