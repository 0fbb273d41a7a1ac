import { expect, it } from "vitest";
import { formatProgress } from "../../src/cli/story.ts";

it.each([
  ["Embedding", 1200, 5000, 3000, "Embedding  1,200/5,000  400/s  10 s left"],
  ["Reading", 40, undefined, 1000, "Reading  40  40/s"],
  ["Reading", 5, 10, 0, "Reading  5/10"],
  ["Reading", 10, 10, 1000, "Reading  10/10  10/s"],
])("says how far %s is", (label, done, total, elapsedMs, expected) => {
  expect(formatProgress(label, done, total, elapsedMs)).toBe(expected);
});
