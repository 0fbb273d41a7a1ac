import { canonicalJson, type Json } from "../core/canonical-json.ts";
import type { Assertion, Check, TextTest } from "./assertion-plan.ts";
import type { Validate } from "./compile.ts";
import { matches, regexLimitMs } from "./regex.ts";
import type { AssertionResult } from "./schema.ts";
import type { ScriptAnswer } from "./script.ts";
import type { Similarity } from "./similarity.ts";

/** What there is to judge one answer by. */
export interface Evidence {
  readonly output: string;
  readonly latencyMs: number;
  readonly costUsd: number | null;
  readonly schemas: ReadonlyMap<string, Validate>;
  readonly similarity: Similarity;
  /** What the assertion's script gave back. */
  readonly scriptAnswer: ScriptAnswer | undefined;
}
interface Outcome {
  readonly pass: boolean;
  readonly score: number;
  readonly reason: string;
  /** Nothing was measured: that fails, with and without `not-`. */
  readonly isUndecided?: boolean;
}

/** `not-` turns pass and score around; what could not be measured fails either way. */
export function checkAssertion(assertion: Assertion, evidence: Evidence): AssertionResult {
  const { type, weight, isNegated } = assertion;
  const { pass, score, reason, isUndecided } = judge(assertion.check, evidence);
  if (!isNegated || isUndecided === true) return { type, weight, pass, score, reason };
  return { type, weight, pass: !pass, score: 1 - score, reason: pass ? `Not wanted: ${reason}` : reason };
}

function judge(check: Check, evidence: Evidence): Outcome {
  const { output } = evidence;
  switch (check.kind) {
    case "text":
      return judgeText(check.test, check.values, output);
    case "equals":
      return judgeEquals(check.value, output);
    case "regex":
      return judgeRegex(check.pattern, output);
    case "json":
      return judgeJson(check.schema, evidence);
    case "javascript":
      return judgeScript(evidence.scriptAnswer, check.threshold);
    case "similar":
      return judgeSimilar(check.values, check.threshold, evidence);
    case "latency":
      return decide(evidence.latencyMs <= check.most, `The answer took ${Math.round(evidence.latencyMs)} ms, limit ${check.most} ms`);
    case "cost":
      if (evidence.costUsd === null) return { ...failed("The price of the model is unknown, so the cost cannot be checked"), isUndecided: true };
      return decide(evidence.costUsd <= check.most, `The answer cost ${evidence.costUsd} US dollars, limit ${check.most}`);
  }
}

function judgeText(test: TextTest, values: readonly string[], output: string): Outcome {
  const isCaseless = test.startsWith("i");
  const folded = (text: string): string => (isCaseless ? text.toLowerCase() : text);
  const answer = folded(output);
  if (test === "starts-with") {
    const start = values[0] ?? "";
    return output.startsWith(start) ? passed(`The answer starts with ${quote(start)}`) : failed(`The answer does not start with ${quote(start)}: ${quote(output)}`);
  }
  const [found, missing] = [values.filter((value) => answer.includes(folded(value))), values.filter((value) => !answer.includes(folded(value)))];
  const isEnough = test.endsWith("-any") ? found.length > 0 : missing.length === 0;
  if (isEnough) return passed(`The answer contains ${list(found)}`);
  return failed(`The answer does not contain ${test.endsWith("-any") ? "any of " : ""}${list(missing)}: ${quote(output)}`);
}

function judgeRegex(pattern: RegExp, output: string): Outcome {
  const isMatch = matches(pattern, output);
  if (isMatch === undefined) return { ...failed(`${pattern} was still looking after ${regexLimitMs} ms; write a pattern without nested repetition`), isUndecided: true };
  return isMatch ? passed(`The answer matches ${pattern}`) : failed(`The answer does not match ${pattern}: ${quote(output)}`);
}

function judgeEquals(value: Json, output: string): Outcome {
  const isObject = typeof value === "object" && value !== null;
  const expected = isObject ? canonicalJson(value) : String(value);
  const isEqual = isObject ? canonicalOf(output) === expected : output === expected;
  return isEqual ? passed(`The answer is ${quote(expected)}`) : failed(`Expected ${quote(expected)}, the answer is ${quote(output)}`);
}

function canonicalOf(text: string): string | undefined {
  try {
    return canonicalJson(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function judgeJson(schema: Json | undefined, { output, schemas }: Evidence): Outcome {
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch {
    return failed(`The answer is not JSON: ${quote(output)}`);
  }
  const complaint = schema === undefined ? undefined : schemas.get(canonicalJson(schema))?.(value);
  return complaint === undefined ? passed(schema === undefined ? "The answer is JSON" : "The answer matches the schema") : failed(`The answer does not match the schema: ${complaint}`);
}

function judgeScript(answer: ScriptAnswer | undefined, threshold: number | undefined): Outcome {
  const undecided = (reason: string): Outcome => ({ ...failed(reason), isUndecided: true });
  if (answer === undefined) return undecided("The script did not run");
  if ("error" in answer) return undecided(`The script failed: ${answer.error}`);
  const { value } = answer;
  if (typeof value === "boolean") return value ? passed("The script gave true") : failed("The script gave false");
  if (typeof value === "number") return scored(value, value >= (threshold ?? Number.MIN_VALUE), `The script gave ${value}${threshold === undefined ? "" : `, threshold ${threshold}`}`);
  if (typeof value === "object" && value !== null && "pass" in value && typeof value.pass === "boolean") {
    const score = "score" in value && typeof value.score === "number" ? value.score : Number(value.pass);
    const reason = "reason" in value && typeof value.reason === "string" && value.reason !== "" ? value.reason : `The script gave pass ${value.pass}, score ${score}`;
    return scored(score, value.pass && (threshold === undefined || score >= threshold), reason);
  }
  return undecided(`The script gave ${quote(JSON.stringify(value))}; expected true or false, a number, or { pass, score, reason }`);
}

function judgeSimilar(values: readonly string[], threshold: number, { output, similarity }: Evidence): Outcome {
  const best = values.map((value) => ({ value, cosine: similarity(output, value) })).reduce((left, right) => (right.cosine > left.cosine ? right : left));
  const reason = `Similarity ${best.cosine.toFixed(3)} to ${quote(best.value)}, threshold ${threshold}`;
  return scored(best.cosine, best.cosine >= threshold, reason);
}

/** Scores are kept from 0 to 1, so that no single assertion outweighs the others beyond its weight. */
function scored(score: number, pass: boolean, reason: string): Outcome {
  return { pass, score: Math.min(1, Math.max(0, score)), reason };
}

function passed(reason: string): Outcome {
  return { pass: true, score: 1, reason };
}

function failed(reason: string): Outcome {
  return { pass: false, score: 0, reason };
}

function decide(pass: boolean, reason: string): Outcome {
  return pass ? passed(reason) : failed(reason);
}

const longestQuote = 200;

function quote(text: string): string {
  return JSON.stringify(text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text);
}

function list(values: readonly string[]): string {
  return values.map(quote).join(", ");
}
