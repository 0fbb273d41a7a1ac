import { describe, expect, it } from "vitest";
import { countTokens, firstTokens } from "../../src/core/tokens.ts";

describe("countTokens", () => {
  it.each([
    ["", 0],
    ["Hello", 1],
    ["Hello world", 2],
    ["Hello, world!", 4],
    ["internationalisation", 3],
    ["2026-11-23", 6],
    ["a\n\n  b", 3],
    ["日本語です", 5],
    ["naïve café", 2],
    ["🙂🙂", 2],
    ["\ud83d", 1],
  ])("counts %j as %i", (text, count) => {
    expect(countTokens(text)).toBe(count);
  });
});

describe("firstTokens", () => {
  const text = "The  quick brown fox — 12345 日本\n\n jumps 🙂.";

  it("cuts between tokens and gives the whole text at last", () => {
    expect(firstTokens(text, 0)).toBe("");
    expect(firstTokens(text, 3)).toBe("The  quick");
    expect(firstTokens(text, 1000)).toBe(text);
  });

  it("gives as many tokens as it was asked for", () => {
    for (let limit = 0; limit <= countTokens(text); limit++) expect(countTokens(firstTokens(text, limit))).toBe(limit);
  });
});
