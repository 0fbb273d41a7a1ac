import { expect, it } from "vitest";
import { limitTo } from "../../../src/adapters/store/limit.ts";

it("runs so many at once and no more, in the order they came, also when some fail", async () => {
  const limit = limitTo(3);
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const results = await Promise.allSettled(Array.from({ length: 20 }, (_, number) => limit(async () => {
    order.push(number);
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    if (number % 5 === 0) throw new Error("failed");
    return number;
  })));
  expect(most).toBe(3);
  expect(order).toEqual(Array.from({ length: 20 }, (_, number) => number));
  expect(results.filter(({ status }) => status === "rejected")).toHaveLength(4);
  expect(await limit(async () => "free again")).toBe("free again");
});
