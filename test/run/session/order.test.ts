import { expect, it } from "vitest";
import { keepOrder } from "../../../src/run/session/order.ts";

const never = new AbortController().signal;

it("lets one go at a time for each name, in the order in which they came", async () => {
  const enter = keepOrder();
  const log: string[] = [];
  const come = async (name: string, who: string, signal = never): Promise<() => void> => {
    const { leave, isBehind } = await enter(name, signal);
    log.push(`${who}${isBehind ? " waited" : ""}`);
    return leave;
  };
  const client = new AbortController();
  const first = await come("s", "first");
  const second = come("s", "second");
  const impatient = come("s", "impatient", client.signal);
  const third = come("s", "third");
  (await come("other", "other"))();
  client.abort(new Error("gone"));
  await expect(impatient).rejects.toThrow("gone");
  expect(log).toEqual(["first", "other"]);
  first();
  // Whoever gave up does not let the third pass the second.
  const leave = await second;
  expect(log).toEqual(["first", "other", "second waited"]);
  leave();
  (await third)();
  (await come("s", "last"))();
  expect(log.slice(3)).toEqual(["third waited", "last"]);
});
