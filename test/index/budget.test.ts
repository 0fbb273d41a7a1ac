import { describe, expect, it } from "vitest";
import { type Budget, costOf, formatUsd, openBudget } from "../../src/index/budget.ts";

const budget = (maxUsd: number | undefined, usdPerMillionTokens: number | null = 2): Budget => openBudget({ usdPerMillionTokens, maxUsd, embedder: "openai:model" });

describe("the budget", () => {
  it("counts tokens and what they cost", () => {
    const open = budget(undefined);
    open.take(1_000_000);
    open.take(500_000);
    expect([open.tokens, open.usd]).toEqual([1_500_000, 3]);
  });

  it("allows exactly its limit, and refuses the request that would go beyond", () => {
    const open = budget(2);
    open.take(600_000);
    open.take(400_000);
    expect(() => open.take(1)).toThrow("Embedding stopped before it would cost more than $2.00: $2.00 are spent");
    expect([open.tokens, open.usd]).toEqual([1_000_000, 2]);
  });

  it("says that what was embedded is kept and how to go on, and ends with 100", () => {
    const open = budget(1);
    open.take(250_000);
    expect(() => open.take(1_000_000)).toThrow(expect.objectContaining({ code: "COST_EXCEEDED", exit: 100, message: expect.stringContaining("$0.50 are spent") as string, fix: expect.stringMatching(/kept\..*higher --max-cost/) as string }));
  });

  it("takes a smaller request after one that was refused", () => {
    const open = budget(1);
    expect(() => open.take(500_001)).toThrow("before it would cost more than $1.00");
    open.take(500_000);
    expect(open.usd).toBe(1);
  });

  it("gets back what a failed request did not use", () => {
    const open = budget(1);
    open.take(400_000);
    open.giveBack(400_000);
    open.take(500_000);
    expect(open.tokens).toBe(500_000);
  });

  it("allows nothing that costs when the limit is 0, and anything that is free", () => {
    expect(() => budget(0).take(1)).toThrow(expect.objectContaining({ code: "COST_EXCEEDED" }));
    const free = budget(0, 0);
    free.take(1e9);
    expect(free.usd).toBe(0);
  });

  it("refuses a limit where the price is not known, and says how to give it", () => {
    expect(() => budget(5, null)).toThrow(expect.objectContaining({ code: "COST_EXCEEDED", message: expect.stringContaining("the price of openai:model is not known") as string, fix: expect.stringContaining("usdPerMillionTokens") as string }));
  });

  it("knows no cost without a price, never 0", () => {
    const open = budget(undefined, null);
    open.take(1000);
    expect([open.tokens, open.usd]).toEqual([1000, null]);
    expect([costOf(1_000_000, null), costOf(1_000_000, 0), costOf(1_000_000, 0.02)]).toEqual([null, 0, 0.02]);
  });

  it.each([[null, "an unknown amount"], [0, "$0.00"], [0.000_012_34, "$0.000012"], [0.5, "$0.50"], [1.239, "$1.24"], [1234.5, "$1234.50"]])("writes %j as %s", (usd, text) => {
    expect(formatUsd(usd)).toBe(text);
  });
});
