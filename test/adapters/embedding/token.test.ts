import { countTokens } from "gpt-tokenizer/encoding/cl100k_base";
import { describe, expect, it } from "vitest";
import { cutToTokens } from "../../../src/adapters/embedding/openai/token.ts";

describe("cutToTokens", () => {
  it("leaves a text alone that fits", async () => {
    const text = "word ".repeat(8000);
    expect(await cutToTokens(text, 8191)).toBe(text);
    expect(await cutToTokens("short", 8191)).toBe("short");
  });

  it.each([
    ["words", "word ".repeat(20_000)],
    ["one word without end", "abcdefg".repeat(20_000)],
    ["a script without spaces", "環境変数に設定を格納する。".repeat(5000)],
    ["characters of several parts", "👩‍👩‍👧 ".repeat(9000)],
    ["words that steer a model", "<|endoftext|> and more ".repeat(5000)],
  ])("cuts %s at its end, to nearly as many tokens as are allowed", async (_, text) => {
    const start = await cutToTokens(text, 2000);
    expect(text.startsWith(start)).toBe(true);
    const count = start.match(/[^]{1,500}/g)?.reduce((sum, part) => sum + countTokens(part, { disallowedSpecial: new Set() }), 0) ?? 0;
    expect(count).toBeGreaterThan(1900);
    expect(count).toBeLessThan(2200);
  });
});
