import { describe, expect, it } from "vitest";
import { planAssertion } from "../../src/eval/assertion-plan.ts";
import { checkAssertion, type Evidence } from "../../src/eval/check.ts";
import { compileChecks } from "../../src/eval/compile.ts";
import type { AssertionDeclaration } from "../../src/eval/suite.ts";

async function check(declared: AssertionDeclaration, output: string, change: Partial<Evidence> = {}) {
  const planned = planAssertion(declared, {}, new Map());
  if ("complaint" in planned) throw new Error(planned.complaint.message);
  const assertion = { ...planned.assertion, path: [] };
  const one = { number: 1, description: null, vars: {}, question: "Q", others: {}, metadata: {}, assertions: [assertion], threshold: undefined };
  const compiled = await compileChecks({ description: null, cases: [one], maxConcurrency: undefined });
  if ("problems" in compiled) throw new Error(compiled.problems[0]?.message);
  return checkAssertion(assertion, { output, latencyMs: 40, costUsd: 0.002, schemas: compiled.schemas, similarity: () => 0.6, scriptAnswer: undefined, ...change });
}

describe("assertions", () => {
  it.each<[AssertionDeclaration, string, boolean, string]>([
    [{ type: "equals", value: "Yes" }, "Yes", true, 'The answer is "Yes"'],
    [{ type: "equals", value: "Yes" }, "yes", false, 'Expected "Yes", the answer is "yes"'],
    [{ type: "equals", value: 42 }, "42", true, 'The answer is "42"'],
    [{ type: "equals", value: { a: 1, b: [2] } }, '{ "b": [2], "a": 1 }', true, 'The answer is "{\\"a\\":1,\\"b\\":[2]}"'],
    [{ type: "equals", value: { a: 1 } }, "not JSON", false, 'Expected "{\\"a\\":1}", the answer is "not JSON"'],
    [{ type: "contains", value: "day" }, "30 days", true, 'The answer contains "day"'],
    [{ type: "contains", value: "Day" }, "30 days", false, 'The answer does not contain "Day": "30 days"'],
    [{ type: "icontains", value: "DAY" }, "30 days", true, 'The answer contains "DAY"'],
    [{ type: "contains-all", value: ["a", "b"] }, "abc", true, 'The answer contains "a", "b"'],
    [{ type: "contains-all", value: ["a", "x", "y"] }, "abc", false, 'The answer does not contain "x", "y": "abc"'],
    [{ type: "icontains-all", value: ["A", "B"] }, "abc", true, 'The answer contains "A", "B"'],
    [{ type: "contains-any", value: ["x", "b"] }, "abc", true, 'The answer contains "b"'],
    [{ type: "contains-any", value: ["x", "y"] }, "abc", false, 'The answer does not contain any of "x", "y": "abc"'],
    [{ type: "icontains-any", value: ["x", "C"] }, "abc", true, 'The answer contains "C"'],
    [{ type: "starts-with", value: "ab" }, "abc", true, 'The answer starts with "ab"'],
    [{ type: "starts-with", value: "b" }, "abc", false, 'The answer does not start with "b": "abc"'],
    [{ type: "regex", value: "\\[\\d+\\]" }, "See [12]", true, "The answer matches /\\[\\d+\\]/"],
    [{ type: "regex", value: "^x" }, "yx", false, 'The answer does not match /^x/: "yx"'],
    [{ type: "is-json" }, "[1]", true, "The answer is JSON"],
    [{ type: "is-json" }, "[1", false, 'The answer is not JSON: "[1"'],
    [{ type: "is-json", value: { type: "object", required: ["a"] } }, '{"a":1}', true, "The answer matches the schema"],
    [{ type: "is-json", value: { type: "object", required: ["a"] } }, "{}", false, "The answer does not match the schema: answer must have required property 'a'"],
    [{ type: "is-json", value: '{"type":"array"}' }, "{}", false, "The answer does not match the schema: answer must be array"],
    [{ type: "latency", threshold: 40 }, "", true, "The answer took 40 ms, limit 40 ms"],
    [{ type: "latency", threshold: 39 }, "", false, "The answer took 40 ms, limit 39 ms"],
    [{ type: "cost", threshold: 0.002 }, "", true, "The answer cost 0.002 US dollars, limit 0.002"],
    [{ type: "cost", threshold: 0.001 }, "", false, "The answer cost 0.002 US dollars, limit 0.001"],
  ])("%j on %j gives %s, and not- the opposite", async (declared, output, pass, reason) => {
    expect(await check(declared, output)).toEqual({ type: declared.type, weight: 1, pass, score: Number(pass), reason });
    const negated = await check({ ...declared, type: `not-${declared.type}` }, output);
    expect(negated).toEqual({ type: `not-${declared.type}`, weight: 1, pass: !pass, score: Number(!pass), reason: pass ? `Not wanted: ${reason}` : reason });
  });

  it("fail for a pattern that comes to no end, with and without not-", async () => {
    for (const type of ["regex", "not-regex"]) {
      expect(await check({ type, value: "^(a+)+$" }, `${"a".repeat(64)}!`)).toMatchObject({ pass: false, score: 0, reason: expect.stringContaining("was still looking after 1000 ms") });
    }
  });

  it("fail for an unknown price, with and without not-", async () => {
    for (const type of ["cost", "not-cost"]) {
      expect(await check({ type, threshold: 1 }, "", { costUsd: null })).toMatchObject({ pass: false, score: 0, reason: "The price of the model is unknown, so the cost cannot be checked" });
    }
  });

  it("take the closest of several values of similar, with the threshold 0.75", async () => {
    const similarity = (_: string, right: string): number => (right === "near" ? 0.8 : 0.2);
    expect(await check({ type: "similar", value: ["far", "near"] }, "x", { similarity })).toMatchObject({ pass: true, score: 0.8, reason: 'Similarity 0.800 to "near", threshold 0.75' });
    expect(await check({ type: "similar", value: "near", threshold: 0.9 }, "x", { similarity })).toMatchObject({ pass: false, score: 0.8 });
    const negated = await check({ type: "not-similar", value: ["far", "near"] }, "x", { similarity });
    expect([negated.pass, Math.round(negated.score * 10)]).toEqual([false, 2]);
  });

  it.each<[unknown, number | undefined, boolean, number, string]>([
    [true, undefined, true, 1, "The script gave true"],
    [false, undefined, false, 0, "The script gave false"],
    [0.4, undefined, true, 0.4, "The script gave 0.4"],
    [0, undefined, false, 0, "The script gave 0"],
    [0.4, 0.5, false, 0.4, "The script gave 0.4, threshold 0.5"],
    [7, undefined, true, 1, "The script gave 7"],
    [{ pass: true, score: 0.3, reason: "Close" }, undefined, true, 0.3, "Close"],
    [{ pass: true, score: 0.3 }, 0.5, false, 0.3, "The script gave pass true, score 0.3"],
    [{ pass: false }, undefined, false, 0, "The script gave pass false, score 0"],
    ["yes", undefined, false, 0, 'The script gave "\\"yes\\""; expected true or false, a number, or { pass, score, reason }'],
    [null, undefined, false, 0, 'The script gave "null"; expected true or false, a number, or { pass, score, reason }'],
  ])("read the script's %j with threshold %s", async (value, threshold, pass, score, reason) => {
    const declared = { type: "javascript", value: "1", ...(threshold === undefined ? {} : { threshold }) };
    expect(await check(declared, "x", { scriptAnswer: { value } })).toMatchObject({ pass, score, reason });
  });

  it("fail where the script failed, with and without not-", async () => {
    for (const type of ["javascript", "not-javascript"]) {
      expect(await check({ type, value: "1" }, "x", { scriptAnswer: { error: "no" } })).toMatchObject({ pass: false, score: 0, reason: "The script failed: no" });
    }
  });

  it("quote a long answer only in part", async () => {
    const { reason } = await check({ type: "contains", value: "b" }, "a".repeat(5000));
    expect(reason).toBe(`The answer does not contain "b": "${"a".repeat(200)}…"`);
  });
});
