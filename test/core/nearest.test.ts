import { expect, it, vi } from "vitest";
import { didYouMean, nearest } from "../../src/core/nearest.ts";

it.each([
  ["temprature", "temperature"],
  ["modle", "model"],
  ["Agents", "agents"],
  ["zzz", undefined],
])("finds the name nearest to %s", (typed, expected) => {
  expect(nearest(typed, ["agents", "model", "temperature", "topK"])).toBe(expected);
});

it("asks only when there is something to ask", () => {
  expect(didYouMean("stagin", ["staging", "production"])).toBe(' Did you mean "staging"?');
  expect(didYouMean("stagin", [])).toBe("");
});

it("compares no letters where the lengths alone say that a name is far", () => {
  const compared = vi.spyOn(String.prototype, "toLowerCase");
  expect(nearest("x".repeat(10_000), ["model", "temperature"])).toBeUndefined();
  expect(compared).not.toHaveBeenCalled();
  compared.mockRestore();
});
