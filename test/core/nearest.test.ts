import { expect, it } from "vitest";
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
