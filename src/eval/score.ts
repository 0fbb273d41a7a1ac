import type { AssertionResult, CaseResult, EvalReport } from "./schema.ts";

/** Weighted mean; 0 where nothing was asserted, because nothing was shown. */
export function scoreOf(assertions: readonly Pick<AssertionResult, "score" | "weight">[]): number {
  const weight = assertions.reduce((sum, assertion) => sum + assertion.weight, 0);
  return weight === 0 ? 0 : Math.min(1, assertions.reduce((sum, { score, weight: own }) => sum + score * own, 0) / weight);
}

/** As in promptfoo: with a threshold the score decides alone; without one every assertion must pass. */
export function isPassed(assertions: readonly AssertionResult[], threshold: number | undefined): boolean {
  if (assertions.length === 0) return false;
  return threshold === undefined ? assertions.every(({ pass }) => pass) : scoreOf(assertions) >= threshold;
}

type Totals = Pick<EvalReport, "passed" | "failed" | "errored" | "passRate" | "score" | "pass">;

/** An error counts against the pass rate: an answer that did not come is not a good answer. */
export function totalsOf(cases: readonly Pick<CaseResult, "verdict" | "score">[], gate: EvalReport["gate"]): Totals {
  const count = (verdict: CaseResult["verdict"]): number => cases.filter((result) => result.verdict === verdict).length;
  const passed = count("pass");
  const passRate = cases.length === 0 ? 0 : passed / cases.length;
  const score = cases.length === 0 ? 0 : Math.min(1, cases.reduce((sum, result) => sum + result.score, 0) / cases.length);
  return { passed, failed: count("fail"), errored: count("error"), passRate, score, pass: cases.length > 0 && passRate >= gate.passRate };
}
