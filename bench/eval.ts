/** `twelve eval` on 1,000 cases against a model that takes 50 ms, beside the time that the calls alone need. */
import { digestOf } from "../src/core/descriptor.ts";
import { applyEval, defaultConcurrency, type Evaluation } from "../src/eval/apply.ts";
import { compileChecks } from "../src/eval/compile.ts";
import { planSuite } from "../src/eval/plan.ts";
import { parseSuite } from "../src/eval/read.ts";
import { openEmbedder, openStore } from "../src/adapters/registry.ts";
import { systemClock } from "../src/adapters/system/clock.ts";
import type { Context } from "../src/ports/context.ts";
import type { Answer, AnswerPart, Runtime } from "../src/run/schema.ts";
import { type Row, scaled } from "./row.ts";

const modelMs = 50;
const budgets = { plain: 1.5, similar: 2 };
const mostRequests = 10;

/** The stage in this process, without the start of the program; the store is in memory. */
export async function benchEval(count: number = scaled(1000, 50)): Promise<readonly Row[]> {
  const plain = await measure(count, false);
  const similar = await measure(count, true);
  const floorS = (Math.ceil(count / defaultConcurrency) * modelMs) / 1000;
  const row = (name: string, { seconds }: Measured, budget: number): Row => ({
    name, measured: `${seconds.toFixed(2)} s`, baseline: `calls alone: ${floorS.toFixed(2)} s`, ratio: seconds / floorS, budget: `<= ${budget} s for 1,000`, isWithin: seconds <= budget,
  });
  const cpu = (plain.cpuMs / count);
  return [
    row(`eval, ${count} cases`, plain, budgets.plain),
    { name: "eval, CPU a case", measured: `${cpu.toFixed(2)} ms`, baseline: "", ratio: null, budget: "<= 1 ms", isWithin: cpu <= 1 },
    row(`eval, a third similar`, similar, budgets.similar),
    { name: "eval, embedding requests", measured: String(similar.requests), baseline: `${count} cases`, ratio: null, budget: `<= ${mostRequests}`, isWithin: similar.requests <= mostRequests },
  ];
}

interface Measured {
  readonly seconds: number;
  readonly cpuMs: number;
  readonly requests: number;
}

async function measure(count: number, isSimilar: boolean): Promise<Measured> {
  const { evaluation, context, requests } = await prepare(count, isSimilar);
  const cpu = process.cpuUsage();
  const start = performance.now();
  const report = await applyEval(context, evaluation);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  if (report.passed !== count) throw new Error(`${report.passed} of ${count} cases passed; the figures mean nothing`);
  return { seconds, cpuMs: (user + system) / 1000, requests: requests() };
}

async function prepare(count: number, isSimilar: boolean): Promise<{ evaluation: Evaluation; context: Context; requests: () => number }> {
  const tests = Array.from({ length: count }, (_, i) => {
    const assert = isSimilar && i % 3 === 0 ? `{ type: similar, value: "Answer to question ${i}" }` : `{ type: icontains, value: "answer to question ${i}" }`;
    return `  - { vars: { question: "question ${i}" }, assert: [${assert}, { type: regex, value: "^Answer" }] }`;
  });
  const { suite, source } = parseSuite(`tests:\n${tests.join("\n")}\n`, "bench.yaml");
  const planned = planSuite(suite, source, new Map());
  if ("problems" in planned) throw new Error(planned.problems[0]?.message);
  const compiled = await compileChecks(planned.plan);
  if ("problems" in compiled) throw new Error(compiled.problems[0]?.message);
  const digest = digestOf("bench");
  const store = await openStore("memory:", { dir: ".", env: {} });
  let requests = 0;
  const context = {
    clock: systemClock,
    signal: new AbortController().signal,
    story: { note: () => {}, warn: () => {}, progress: () => ({ update: () => {}, done: () => {}, stop: () => {} }) },
    store: () => Promise.resolve(store),
    openEmbedder: async (reference: string) => {
      const embedder = await openEmbedder(reference, { dir: ".", env: {} });
      const embed: typeof embedder.embed = (texts, task, signal) => {
        requests += 1;
        return embedder.embed(texts, task, signal);
      };
      return { ...embedder, embed };
    },
  } as unknown as Context;
  const evaluation: Evaluation = {
    name: "bench", app: "bench", agent: "support", models: ["mock:slow"], gate: { passRate: 1 }, embedder: "hash:512", secrets: {}, maxConcurrency: undefined,
    release: { mediaType: "bench", digest, size: 0 }, runtime: slowRuntime,
    suite: { plan: planned.plan, compiled, folder: ".", files: {}, digest },
    prompt: { name: "answer", variant: null, path: "", model: null, config: {}, input: { schema: null, default: {} }, output: { format: "text", schema: null }, template: "", partials: {}, metadata: {}, digest },
  };
  return { evaluation, context, requests: () => requests };
}

const slowRuntime: Pick<Runtime, "answer"> = {
  async *answer({ messages }): AsyncGenerator<AnswerPart> {
    await new Promise((resolve) => setTimeout(resolve, modelMs));
    const text = `Answer to ${messages[0]?.content ?? ""}`;
    const usage = { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0 };
    const answer: Answer = { text, toolCalls: [], finishReason: "stop", usage, reference: "mock:slow", model: "slow", retrieved: [], citations: [], latencyMs: modelMs, timeToFirstTokenMs: null, costUsd: 0 };
    yield { type: "end", answer };
  },
};
