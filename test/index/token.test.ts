import { describe, expect, it } from "vitest";
import { countTokens } from "../../src/index/token.ts";

describe("the chunker's tokens", () => {
  it.each([
    ["", 0],
    [" \n\t\u00a0\u3000\u200b", 0],
    ["cat", 1],
    ["letter", 1],
    ["letters", 2],
    ["a, b", 3],
    ["don't", 3],
    ["maxRetries: 3", 4],
    ["Größe", 1],
    ["Привет мир", 3],
    ["設定は環境変数", 7],
    ["ตั้งค่า", 7],
    ["환경 변수", 4],
    ["👍🏽", 2],
    ["𠮷野家", 3],
    ["=>", 2],
  ])("of %j are %i", (text, tokens) => {
    expect(countTokens(text)).toBe(tokens);
  });

  it("add up over texts that are joined by a space", () => {
    const [left, right] = ["An example (of 2) ", "weitere Wörter"];
    expect(countTokens(`${left} ${right}`)).toBe(countTokens(left) + countTokens(right));
  });
});
