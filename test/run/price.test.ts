import { describe, expect, it } from "vitest";
import { costOf } from "../../src/run/price.ts";

const usage = { inputTokens: 1000, outputTokens: 10, cachedInputTokens: 0 };

describe("costOf", () => {
  it("knows that the mock models are free", () => {
    expect(costOf("mock", "extractive", usage)).toBe(0);
    expect(costOf("mock", "fixed:hello", usage)).toBe(0);
  });

  it("gives null for an unknown model or unknown usage, never 0", () => {
    expect(costOf("acme", "extractive", usage)).toBeNull();
    expect(costOf("constructor", "name", usage)).toBeNull();
    expect(costOf("mock", "extractive", null)).toBeNull();
  });
});
