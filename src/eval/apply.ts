import { resolve } from "node:path";
import { writeDocument } from "../artifact/document.ts";
import { movePointer } from "../artifact/pointer.ts";
import { refs } from "../artifact/refs.ts";
import type { Descriptor } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { patiently } from "../core/patience.ts";
import type { Context, Environment } from "../ports/context.ts";
import type { Runtime } from "../run/schema.ts";
import type { CompiledPrompt } from "../prompt/schema.ts";
import { askAll, type Asked } from "./ask.ts";
import { checkAssertion } from "./check.ts";
import type { Case, PlacedAssertion } from "./plan.ts";
import type { ReadSuite } from "./read.ts";
import { type AssertionResult, type CaseResult, type EvalReport, evalReportKind } from "./schema.ts";
import { isPassed, scoreOf, totalsOf } from "./score.ts";
import { openScripts, type ScriptAnswer, type ScriptRunner } from "./script.ts";
import { embedTexts, type Similarity } from "./similarity.ts";

/** Mock and hosted models alike answer many questions at once; 64 keeps 1,000 cases at 50 ms each below a second. */
export const defaultConcurrency = 64;

export interface Evaluation {
  readonly name: string;
  readonly suite: ReadSuite;
  readonly gate: EvalReport["gate"];
  readonly app: string;
  readonly release: Descriptor;
  readonly agent: string;
  /** Of the agent, in the order in which they are asked. */
  readonly models: readonly string[];
  readonly prompt: CompiledPrompt;
  readonly runtime: Pick<Runtime, "answer">;
  /** Reference of the release's embedder; undefined when it has no index. */
  readonly embedder: string | undefined;
  /** Where its credentials are looked up, besides the process environment. */
  readonly secrets: Environment;
  readonly maxConcurrency: number | undefined;
}

/** Asks, checks, scores, and stores the report. Nothing is stored before all of it is known. */
export async function applyEval(context: Context, evaluation: Evaluation): Promise<EvalReport> {
  const { name, suite, gate, app, release, agent, models } = evaluation;
  const { cases } = suite.plan;
  refuseWithoutEmbedder(evaluation);
  const progress = context.story.progress(`Evaluating ${name}`);
  let results: readonly CaseResult[];
  try {
    const maxConcurrency = evaluation.maxConcurrency ?? suite.plan.maxConcurrency ?? defaultConcurrency;
    const asked = await askAll(context, cases, { ...evaluation, maxConcurrency, progress });
    results = await judgeAll(context, evaluation, asked);
  } finally {
    progress.stop();
  }
  const report: EvalReport = {
    version: 1, app, suite: name, suiteDigest: suite.digest, suiteFiles: { ...suite.files }, release, agent, model: models[0] ?? "none", cases: [...results],
    ...totalsOf(results, gate), gate, createdAt: context.clock.now().toISOString(),
  };
  context.signal.throwIfAborted();
  const store = await context.store();
  const descriptor = await writeDocument(store, evalReportKind, report);
  await movePointer(store, refs.report(app, release.digest, name), { report: descriptor });
  return report;
}

function refuseWithoutEmbedder({ name, suite, embedder, agent }: Evaluation): void {
  const isNeeded = suite.plan.cases.some(({ assertions }) => assertions.some(({ check }) => check.kind === "similar"));
  if (!isNeeded || embedder !== undefined) return;
  throw new TwelveError("SUITE_INVALID", `${name} uses \`similar\`, which compares by the release's embedder, but the release has no index`, {
    fix: `Give an agent such as ${agent} a \`retrieve:\` in twelve.yaml, or use another assertion`,
  });
}

async function judgeAll(context: Context, evaluation: Evaluation, asked: readonly Asked[]): Promise<readonly CaseResult[]> {
  const { suite, embedder, secrets } = evaluation;
  const { cases } = suite.plan;
  const similarity = await similarityFor(context, { embedder, secrets }, textsToCompare(cases, asked));
  const scripts = openScripts(suite.folder, { signal: context.signal });
  const results: CaseResult[] = [];
  try {
    for (const [index, item] of cases.entries()) {
      const outcome = asked[index];
      if (outcome === undefined) throw new Error(`Case ${item.number} was not asked`);
      results.push("error" in outcome ? erroredCase(item, outcome) : await judgeCase(item, outcome, { suite, models: evaluation.models, similarity, scripts }));
    }
  } finally {
    scripts.close();
  }
  return results;
}

/** All texts of the suite at once, so that a hundred comparisons cost a few embedding calls. */
function textsToCompare(cases: readonly Case[], asked: readonly Asked[]): readonly string[] {
  return cases.flatMap(({ assertions }, index) => {
    const outcome = asked[index];
    if (outcome === undefined || "error" in outcome) return [];
    return assertions.flatMap(({ check }) => (check.kind === "similar" ? [outcome.answer.text, ...check.values] : []));
  });
}

async function similarityFor(context: Context, { embedder: reference, secrets }: Pick<Evaluation, "embedder" | "secrets">, texts: readonly string[]): Promise<Similarity> {
  if (reference === undefined || texts.length === 0) return () => 0;
  return embedTexts(texts, await patiently(() => context.openEmbedder(reference, secrets), context), context);
}

interface Judging {
  readonly models: readonly string[];
  readonly suite: ReadSuite;
  readonly similarity: Similarity;
  readonly scripts: ScriptRunner;
}
type Answered = Extract<Asked, { answer: unknown }>;

async function judgeCase(item: Case, { answer }: Answered, { suite, models, similarity, scripts }: Judging): Promise<CaseResult> {
  const { text: output, latencyMs, costUsd, usage } = answer;
  const retrieved = answer.retrieved.map(({ id, document, score }) => ({ id, document, score }));
  const context = { vars: item.vars, metadata: item.metadata, latencyMs, cost: costUsd, retrieved };
  const assertions: AssertionResult[] = [];
  for (const assertion of item.assertions) {
    const scriptAnswer = await runScript(assertion, { suite, scripts }, (script) => scripts.run(script, output, context));
    assertions.push(checkAssertion(assertion, { output, latencyMs, costUsd, schemas: suite.compiled.schemas, similarity, scriptAnswer }));
  }
  const verdict = isPassed(assertions, item.threshold) ? "pass" : "fail";
  const fallback = answer.reference === models[0] ? {} : { model: answer.reference };
  return { ...frameOf(item), ...fallback, output, error: null, verdict, score: scoreOf(assertions), assertions, latencyMs, inputTokens: usage.inputTokens, outputTokens: usage.outputTokens, costUsd, retrieved };
}

type Run = (script: { readonly code: string } | { readonly path: string }) => Promise<ScriptAnswer>;

async function runScript({ check }: PlacedAssertion, { suite }: Pick<Judging, "suite" | "scripts">, run: Run): Promise<ScriptAnswer | undefined> {
  if (check.kind !== "javascript") return undefined;
  const { source } = check;
  if ("file" in source) return run({ path: resolve(suite.folder, source.file.slice("file://".length)) });
  return run({ code: suite.compiled.scripts.get(source.code) ?? source.code });
}

function erroredCase(item: Case, { error, latencyMs }: Extract<Asked, { error: unknown }>): CaseResult {
  return { ...frameOf(item), output: null, error, verdict: "error", score: 0, assertions: [], latencyMs, inputTokens: 0, outputTokens: 0, costUsd: null, retrieved: [] };
}

function frameOf({ number, description, vars, metadata }: Case): Pick<CaseResult, "number" | "description" | "vars" | "metadata"> {
  return { number, description, vars: vars as CaseResult["vars"], metadata: metadata as CaseResult["metadata"] };
}
