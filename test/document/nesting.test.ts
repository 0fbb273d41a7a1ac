import { describe, expect, it } from "vitest";
import { isNestedBeyondReason } from "../../src/document/nesting.ts";

const lines = (line: string, count: number): string => `${line}\n`.repeat(count);

describe("nesting beyond reason", () => {
  it.each([
    ["deep quotes of many lines", lines(`${"> ".repeat(90)}x`, 500)],
    ["many quotes in quotes", lines(`${"> ".repeat(20)}x\n`, 1500)],
    ["many quotes", lines("> x\n", 7000)],
    ["many lists in lists", lines(`${"- ".repeat(5)}x`, 3000)],
    ["many lists below items", lines("- x\n  - y", 3500)],
    ["numbered lists in quotes", lines("> 1. 2) x", 4000)],
  ])("is told of %s", (_, text) => {
    expect(isNestedBeyondReason(text)).toBe(true);
  });

  it.each([
    ["a long quote", lines("> some words", 20_000)],
    ["a long list", lines("- [some](words.md)", 5000)],
    ["a long list of lists", lines("- one\n  - two\n    - three", 500)],
    ["rules, ranges, negative numbers and bold words", lines("---\n\n**bold** 1-2\n\n-3\n", 20_000)],
    ["a single deep line", "> ".repeat(99)],
  ])("is not told of %s", (_, text) => {
    expect(isNestedBeyondReason(text)).toBe(false);
  });
});
