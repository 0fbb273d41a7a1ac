import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { readDocument } from "../../src/artifact/document.ts";
import { readPointer } from "../../src/artifact/pointer.ts";
import { refs } from "../../src/artifact/refs.ts";
import { TwelveError } from "../../src/core/errors.ts";
import command from "../../src/eval/command.ts";
import { evalReportKind, reportPointerKind } from "../../src/eval/schema.ts";
import type { Model, ModelRequest } from "../../src/ports/model.ts";
import { readActive } from "../../src/release/read.ts";
import { temporaryFolder, testContext, type TestContext } from "../helpers/context.ts";
import { makeRelease, manifest, writeFiles } from "../run/release.ts";

const evals = (gate = 1): string => `${manifest}evals: { smoke: { suite: evals/smoke.yaml, agent: support, gate: { passRate: ${gate} } } }\n`;
const smoke = `
tests:
  - description: Body limit
    vars: { question: How large may the body of a request be? }
    assert:
      - { type: contains, value: 1 MiB }
      - { type: regex, value: '\\[1\\]' }
      - { type: javascript, value: "context.retrieved[0].document === 'docs/limits.md'" }
      - { type: similar, value: The body of a request may be 1 MiB large., threshold: 0.9 }
      - { type: cost, threshold: 0 }
  - description: Port
    vars: { question: Which port does the server listen on? }
    assert: [{ type: contains, value: port 8080 }]
`;

async function app(suite = smoke, text = evals()): Promise<TestContext> {
  const context = await testContext({ dir: await temporaryFolder() });
  await writeFiles(context.dir, { "evals/smoke.yaml": suite });
  await makeRelease(context, text, { "evals/smoke.yaml": suite });
  return context;
}

const evaluate = (context: TestContext, input: object = { env: "staging" }) => command.run(command.input.parse(input), context);

/** The application with another model, counting how many calls were open at once. */
function withModel(context: TestContext, generate: (request: ModelRequest) => Promise<string>): { context: TestContext; most: () => number } {
  let open = 0;
  let most = 0;
  const model: Model = {
    provider: "scripted",
    id: "unpriced",
    check: () => Promise.resolve({ version: null }),
    async *generate(request) {
      open += 1;
      most = Math.max(most, open);
      try {
        yield { type: "text", text: await generate(request) };
      } finally {
        open -= 1;
      }
      yield { type: "end", finishReason: "stop", model: "unpriced", usage: { inputTokens: 5, outputTokens: 2, cachedInputTokens: 0 } };
    },
  };
  return { context: { ...context, openModel: () => Promise.resolve(model) }, most: () => most };
}

const manyCases = (count: number): string => `tests: [{ vars: { question: [${Array.from({ length: count }, (_, i) => `Q${i}`).join(", ")}] }, assert: [{ type: contains, value: Q }] }]\n`;
const echo = (request: ModelRequest): string => request.messages.at(-1)?.content ?? "";

describe("twelve eval", () => {
  it("asks the release by the path of production, scores each case, and stores the report bound to the release", async () => {
    const context = await app();
    const output = await evaluate(context);
    const store = await context.store();
    const { releaseDescriptor } = await readActive(store, "handbook", "staging");
    expect(output.pass).toBe(false);
    expect(output.reports).toHaveLength(1);
    const [report] = output.reports;
    expect(report).toMatchObject({ app: "handbook", suite: "smoke", release: releaseDescriptor, agent: "support", model: "mock:extractive", passed: 1, failed: 1, errored: 0, passRate: 0.5, gate: { passRate: 1 }, pass: false });
    expect(report?.cases[0]).toMatchObject({ number: 1, verdict: "pass", output: "The body of a request may be 1 MiB large. [1]", error: null, costUsd: 0 });
    expect(report?.cases[0]?.assertions.map(({ type, pass }) => `${type} ${pass}`)).toEqual(["contains true", "regex true", "javascript true", "similar true", "cost true"]);
    expect(report?.cases[1]).toMatchObject({ number: 2, verdict: "fail", score: 0 });
    const pointer = await readPointer(store, reportPointerKind, refs.report("handbook", releaseDescriptor.digest, "smoke"));
    expect(pointer && await readDocument(store, evalReportKind, pointer.value.report)).toEqual(report);
    expect(context.lines).toEqual([]);
  });

  it("says no with exit code 100 when a gate fails, and nothing when it holds", async () => {
    expect(command.verdict?.(await evaluate(await app()))).toEqual({ exit: 100, message: "The gate of smoke (pass rate 50%, needed 100%) does not hold" });
    expect(command.verdict?.(await evaluate(await app(smoke, evals(0.5))))).toBeUndefined();
  });

  it("shows cases, first failing reason, totals and gate", async () => {
    const output = await evaluate(await app());
    const text = command.render(output, command.input.parse({ env: "staging" }));
    const lines = text.replaceAll(/ +\d+ ms/g, " 1 ms").split("\n");
    expect(lines[0]).toBe("smoke: support with mock:extractive");
    expect(lines[3]).toBe(`1  pass     ${(output.reports[0]?.cases[0]?.score ?? 0).toFixed(2)} 1 ms  Body limit`);
    expect(lines[4]).toBe("2  FAIL     0.00 1 ms  Port");
    expect(lines[5]?.trim()).toMatch(/^contains: The answer does not contain "port 8080": "The server listens on/);
    expect(lines.slice(-2)).toEqual(["1 passed, 1 failed, 0 errored of 2; mean score " + (output.reports[0]?.score ?? 0).toFixed(2), "Gate fails: pass rate 50%, needed 100%"]);
  });

  it("counts a failed call as an error, and says first when no case got an answer", async () => {
    const { context } = withModel(await app(manyCases(2)), () => Promise.reject(new TwelveError("SERVICE_FAILED", "The model is down")));
    const output = await evaluate(context);
    expect(output.reports[0]).toMatchObject({ passed: 0, failed: 0, errored: 2, passRate: 0, pass: false });
    expect(output.reports[0]?.cases[0]).toMatchObject({ verdict: "error", error: "SERVICE_FAILED: The model is down", output: null, score: 0, costUsd: null });
    expect(command.render(output, command.input.parse({})).split("\n")[2]).toBe("No case got an answer. First error: SERVICE_FAILED: The model is down");
  });

  it("keeps the order of the cases and the limit on calls at once", async () => {
    const first = await app(manyCases(20));
    const waiting: (() => void)[] = [];
    const { context, most } = withModel(first, async (request) => {
      // The first three answer only when all three are asked.
      if (waiting.length < 3) await new Promise<void>((resolve) => (waiting.push(resolve) === 3 ? waiting.forEach((go) => go()) : undefined));
      return echo(request);
    });
    const output = await evaluate(context, { env: "staging", maxConcurrency: 3 });
    expect(output.reports[0]?.cases.map(({ output: text }) => text)).toEqual(Array.from({ length: 20 }, (_, i) => `Q${i}`));
    expect(most()).toBe(3);
  });

  it("fails a cost assertion where the price is unknown", async () => {
    const suite = "tests: [{ vars: { question: Q }, assert: [{ type: cost, threshold: 100 }] }]\n";
    const { context } = withModel(await app(suite), (request) => Promise.resolve(echo(request)));
    const { reports } = await evaluate(context);
    expect(reports[0]?.cases[0]).toMatchObject({ verdict: "fail", costUsd: null, assertions: [{ pass: false, reason: "The price of the model is unknown, so the cost cannot be checked" }] });
  });

  it("embeds all texts of a suite in as few calls as the embedder takes", async () => {
    const suite = `tests: [{ vars: { question: [${Array.from({ length: 30 }, (_, i) => `Q${i}`).join(", ")}] }, assert: [{ type: similar, value: "{{question}}" }] }]\n`;
    const { context } = withModel(await app(suite), (request) => Promise.resolve(echo(request)));
    const batches: number[] = [];
    const counting: TestContext = {
      ...context,
      openEmbedder: async (reference) => {
        const embedder = await context.openEmbedder(reference);
        const embed: typeof embedder.embed = (texts, task, signal) => {
          if (task === "document") batches.push(texts.length);
          return embedder.embed(texts, task, signal);
        };
        return { ...embedder, maxBatch: 16, embed };
      },
    };
    const { reports } = await evaluate(counting);
    expect(reports[0]).toMatchObject({ passed: 30 });
    expect(batches.slice(-2)).toEqual([16, 14]);
  });

  it("gives the prompt the variables beside the question", async () => {
    const suite = "tests: [{ vars: { question: Hi, tone: kind }, assert: [{ type: contains, value: Hi }] }]\n";
    const asked: ModelRequest[] = [];
    const { context } = withModel(await app(suite, evals().replace("agent: support", "agent: chat")), (request) => {
      asked.push(request);
      return Promise.resolve(echo(request));
    });
    await evaluate(context);
    expect(asked[0]?.messages[0]).toEqual({ role: "system", content: "You are kind." });
  });

  it("stores nothing when it is interrupted", async () => {
    const abort = new AbortController();
    const first = await app(manyCases(5));
    const { context } = withModel({ ...first, signal: abort.signal }, () => {
      abort.abort(new Error("Interrupted"));
      return Promise.resolve("Q");
    });
    await expect(evaluate(context)).rejects.toThrow("Interrupted");
    const store = await context.store();
    const { releaseDescriptor } = await readActive(store, "handbook", "staging");
    expect(await store.refs.list(refs.reports("handbook", releaseDescriptor.digest))).toEqual([]);
  });

  it("warns that suite and gate are not those of the release", async () => {
    const context = await app();
    await writeFiles(context.dir, { "twelve.yaml": evals(0.25), "evals/smoke.yaml": `${smoke}# weaker\n` });
    await evaluate(context, { suite: "smoke", release: "v1" });
    expect(context.told.slice(-2)).toEqual([
      "warn smoke: evals/smoke.yaml in the working folder is not what the release was packaged with",
      "warn smoke: `evals.smoke` in twelve.yaml is not what the release was built with",
    ]);
  });

  it.each([
    [{}, "USAGE_INVALID", "Name what to measure: `--env <name>` or `--release <release>`"],
    [{ env: "production" }, "RELEASE_NOT_ACTIVE", "handbook has no active release in production. There is one in staging"],
    [{ suite: "smok", env: "staging" }, "SUITE_NOT_FOUND", 'There is no eval suite "smok". Did you mean "smoke"? Declared: smoke'],
  ])("refuses %j", async (input, code, message) => {
    await expect(evaluate(await app(), input)).rejects.toMatchObject({ code, message });
  });

  it("refuses a suite that leaves open which agent it asks", async () => {
    await expect(evaluate(await app(smoke, evals().replace(", agent: support", "")))).rejects.toMatchObject({ code: "SUITE_INVALID", message: "The suite smoke names no agent; the release has chat, support" });
  });

  it("calls no model when any suite is invalid", async () => {
    const { context, most } = withModel(await app("tests: [{ vars: { question: Q } }]\n"), () => Promise.resolve(""));
    await expect(evaluate(context)).rejects.toMatchObject({ code: "SUITE_INVALID" });
    expect(most()).toBe(0);
  });

  it("reads the suite of the working folder", async () => {
    const context = await app();
    expect(await readFile(`${context.dir}/evals/smoke.yaml`, "utf8")).toBe(smoke);
    await writeFiles(context.dir, { "evals/smoke.yaml": smoke.replace("port 8080", "port 3000") });
    expect((await evaluate(context)).pass).toBe(true);
  });
});
