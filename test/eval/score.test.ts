import { describe, expect, it } from "vitest";
import { isPassed, scoreOf, totalsOf } from "../../src/eval/score.ts";

const result = (pass: boolean, score: number, weight = 1) => ({ type: "equals", reason: "", pass, score, weight });

describe("scores", () => {
  it("are the mean of the assertions by weight", () => {
    expect(scoreOf([result(true, 1, 3), result(false, 0, 1)])).toBe(0.75);
    expect(scoreOf([])).toBe(0);
  });

  it("never leave 0 to 1 by rounding", () => {
    expect(scoreOf([result(true, 1, 0.1), result(true, 1, 0.2), result(true, 1, 0.3)])).toBeLessThanOrEqual(1);
  });

  it("pass without a threshold only when every assertion does", () => {
    expect(isPassed([result(true, 1), result(false, 0.9)], undefined)).toBe(false);
    expect(isPassed([result(true, 0.2), result(true, 1)], undefined)).toBe(true);
  });

  it("pass with a threshold by the score alone", () => {
    expect(isPassed([result(true, 1), result(false, 0)], 0.5)).toBe(true);
    expect(isPassed([result(true, 0.4), result(true, 0.4)], 0.5)).toBe(false);
  });

  it("pass nothing where nothing was asserted", () => {
    expect(isPassed([], undefined)).toBe(false);
  });

  it("count an error against the pass rate", () => {
    const cases = [{ verdict: "pass", score: 1 }, { verdict: "pass", score: 0.5 }, { verdict: "fail", score: 0.5 }, { verdict: "error", score: 0 }] as const;
    expect(totalsOf(cases, { passRate: 0.5 })).toEqual({ passed: 2, failed: 1, errored: 1, passRate: 0.5, score: 0.5, pass: true });
    expect(totalsOf(cases, { passRate: 0.51 }).pass).toBe(false);
  });

  it("hold no gate without cases", () => {
    expect(totalsOf([], { passRate: 0 })).toEqual({ passed: 0, failed: 0, errored: 0, passRate: 0, score: 0, pass: false });
  });
});
