import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/descriptor.ts";
import type { EvalReport } from "../../src/eval/schema.ts";
import promote from "../../src/release/promote-command.ts";
import { readActive, readHistory } from "../../src/release/read.ts";
import release from "../../src/release/command.ts";
import { type TestContext, testContext } from "../helpers/context.ts";
import { storeBuild, storeIndex, storeReport, supportApp } from "../helpers/release.ts";

const run = (context: TestContext, allowDirty = false) => promote.run({ from: "staging", to: "production", allowDirty }, context);

interface Options {
  readonly files?: Record<string, string>;
  readonly set?: string[];
  readonly isDirty?: boolean;
}

/** v1 active in staging; the reports that production requires are there, unless `without` them. */
async function staged({ files = {}, set = [], isDirty = false }: Options = {}, reports: Readonly<Record<string, Partial<EvalReport> | undefined>> = { smoke: {}, tone: {} }) {
  const dir = await supportApp(files);
  const context = await testContext({ dir });
  const store = await context.store();
  await storeBuild(store, dir, { commit: "1234567890abcdef", dirty: isDirty });
  await storeIndex(store);
  await release.run(release.input.parse({ env: "staging", set, allowDirty: isDirty }), context);
  const { releaseDescriptor } = await readActive(store, "support", "staging");
  for (const [suite, facts] of Object.entries(reports)) await storeReport(store, releaseDescriptor, suite, facts);
  return { context, store, dir, releaseDescriptor };
}

describe("twelve promote", () => {
  it("activates the same release under the same number, with the target's own attachments and secrets", async () => {
    const { context, store, releaseDescriptor } = await staged({ files: { ".env.production": "STATE_URL=postgres://me:pa55@live/app\nAPI_KEY=hush\n" } });
    const answer = await run(context);
    expect(answer).toEqual({
      from: "staging",
      to: "production",
      number: 1,
      digest: releaseDescriptor.digest,
      isChanged: true,
      previous: null,
      attachments: { STATE_URL: { url: "postgres://live/app", source: "dotenv:.env.production" } },
      secrets: { API_KEY: "dotenv:.env.production" },
    });
    const { activation } = await readActive(store, "support", "production");
    expect(activation).toMatchObject({ number: 1, release: releaseDescriptor, attachments: answer.attachments, secrets: answer.secrets, reason: "promote" });
    expect((await readActive(store, "support", "staging")).activation.attachments).toEqual({ STATE_URL: { url: "pglite:.twelve/state", source: "default" } });
  });

  it("changes nothing when the release is active there already, and records new attachments when they differ", async () => {
    const { context, store, dir } = await staged();
    await run(context);
    expect(await run(context)).toMatchObject({ isChanged: false });
    expect(await readHistory(store, "support", "production")).toHaveLength(1);
    await writeFile(join(dir, ".env.production"), "STATE_URL=redis://other\n");
    expect(await run(context)).toMatchObject({ isChanged: true, previous: 1, attachments: { STATE_URL: { url: "redis://other" } } });
  });

  it("keeps frozen values and says where the target has another one", async () => {
    const { context } = await staged({ files: { ".env.production": "TOP_K=9\nTEMPERATURE=0.2\n" }, set: ["TOP_K=7"] });
    await run(context);
    expect(context.told.filter((line) => line.startsWith("warn"))).toEqual([
      "warn TOP_K is 7 in v1 (from --set), but 9 in dotenv:.env.production. A frozen value belongs to the release, so 7 stays.",
    ]);
  });

  it("does not warn of a default, which nobody set in the target", async () => {
    const { context } = await staged({ set: ["TOP_K=7"] });
    await run(context);
    expect(context.told.filter((line) => line.startsWith("warn"))).toEqual([]);
  });

  it("refuses when the embedder gives other vectors than at the time of the release", async () => {
    const { context, store } = await staged();
    const other = await context.openEmbedder("hash:64");
    const drifted = { ...other, embed: async (texts: readonly string[]) => texts.map(() => new Float32Array(64).fill(0.125)) };
    await expect(run({ ...context, openEmbedder: () => Promise.resolve(drifted) })).rejects.toMatchObject({ code: "EMBEDDER_DRIFTED" });
    expect(await readHistory(store, "support", "production")).toEqual([]);
  });

  it("does not fail for a frozen key that the target sets wrongly", async () => {
    const { context } = await staged({ files: { ".env.production": "TOP_K=many\n" } });
    expect(await run(context)).toMatchObject({ number: 1 });
  });

  it("refuses when the target gives no usable attachment", async () => {
    const { context } = await staged({ files: { ".env.production": "STATE_URL=nowhere\n" } });
    await expect(run(context)).rejects.toMatchObject({ code: "CONFIG_INVALID", problems: [{ path: "STATE_URL" }] });
  });

  it("names the command that undoes it", async () => {
    const { context } = await staged();
    await run(context);
    await release.run(release.input.parse({ env: "staging", set: ["TOP_K=8"] }), context);
    const store = await context.store();
    const { releaseDescriptor } = await readActive(store, "support", "staging");
    await storeReport(store, releaseDescriptor, "smoke");
    await storeReport(store, releaseDescriptor, "tone");
    const answer = await run(context);
    expect(promote.render(answer, { from: "staging", to: "production", allowDirty: false })).toMatch(/^v2 \(\w{12}\) is active in production; v1 was active before\n.*\nUndo: `twelve rollback --env production` \(back to v1\)$/);
  });

  it.each([
    [{ from: "production", to: "staging" }, "RELEASE_NOT_ACTIVE"],
    [{ from: "stagin", to: "production" }, "ENVIRONMENT_UNKNOWN"],
    [{ from: "staging", to: "prod" }, "ENVIRONMENT_UNKNOWN"],
    [{ from: "staging", to: "staging" }, "USAGE_INVALID"],
  ])("refuses %j with %s", async (input, code) => {
    const { context } = await staged();
    await expect(promote.run({ ...input, allowDirty: false }, context)).rejects.toMatchObject({ code });
  });
});

describe("twelve promote, at the gate,", () => {
  async function refusal(reports: Parameters<typeof staged>[1], set?: readonly string[]) {
    const { context, store } = await staged({}, reports);
    if (set !== undefined) await release.run(release.input.parse({ env: "staging", set }), context);
    const failure = await run(context).catch((error: unknown) => error);
    expect(await readHistory(store, "support", "production")).toEqual([]);
    return failure;
  }

  it("names every suite without a report and the command that makes one", async () => {
    expect(await refusal({ tone: {} })).toMatchObject({
      code: "PROMOTION_REFUSED",
      exit: 100,
      message: expect.stringMatching(/^production requires an eval suite that v1 \(\w{12}\) has not passed: smoke$/),
      problems: [{ path: "smoke", message: "There is no eval report for exactly this release" }],
      fix: "Run `twelve eval smoke --env staging`, then promote again",
    });
  });

  it("refuses a failed report with its figures", async () => {
    const failed = { pass: false, passRate: 0.5, passed: 1, failed: 1, cases: [caseOf(1), caseOf(2)] };
    const message = "The newest report (2026-01-02T00:00:00.000Z) failed: 1 of 2 cases passed (50%), the gate wants 90%";
    expect(await refusal({ smoke: failed, tone: {} })).toMatchObject({ problems: [{ path: "smoke", message }], fix: "Correct what fails, then build, release, eval and promote again" });
  });

  it("asks the build's gate too, when a report was made with a laxer one", async () => {
    expect(await refusal({ smoke: { pass: true, passRate: 0.6, gate: { passRate: 0.5 } }, tone: {} })).toMatchObject({ problems: [{ path: "smoke", message: expect.stringContaining("the gate wants 90%") }] });
  });

  it("does not take the report of another agent than the build's suite asks", async () => {
    const message = "The newest report (2026-01-02T00:00:00.000Z) is about the agent echo; the build's suite asks support";
    expect(await refusal({ smoke: { agent: "echo" }, tone: {} })).toMatchObject({ problems: [{ path: "smoke", message }] });
  });

  it.each([
    ["an easier suite under its name", { "evals/smoke.yaml": digestOf("easier") }, "evals/smoke.yaml"],
    ["another suite in its place", { "evals/other.yaml": digestOf("smoke") }, "evals/smoke.yaml"],
  ])("does not take a report of %s", async (_, suiteFiles, path) => {
    const message = expect.stringContaining(`was made with another ${path} than the release was packaged with`) as string;
    expect(await refusal({ smoke: { suiteFiles }, tone: {} })).toMatchObject({ code: "PROMOTION_REFUSED", problems: [{ path: "smoke", message }] });
  });

  it("does not mind files of a suite that the build leaves out of the code", async () => {
    const { context } = await staged({}, { smoke: { suiteFiles: { "evals/smoke.yaml": digestOf("smoke"), "docs/text.md": digestOf("x") } }, tone: {} });
    expect(await run(context)).toMatchObject({ isChanged: true });
  });

  it("believes a report that says it failed, whatever its pass rate", async () => {
    expect(await refusal({ smoke: { pass: false, passRate: 1 }, tone: {} })).toMatchObject({ code: "PROMOTION_REFUSED", problems: [{ path: "smoke" }] });
  });

  it("does not take the report of another release", async () => {
    expect(await refusal({ smoke: {}, tone: {} }, ["TOP_K=9"])).toMatchObject({ problems: [{ path: "smoke" }, { path: "tone" }] });
  });

  it("does not take a report that was filed under this release but is about another one", async () => {
    const { context, store, releaseDescriptor } = await staged({}, { tone: {} });
    await storeReport(store, releaseDescriptor, "smoke", { release: { ...releaseDescriptor, digest: `sha256:${"0".repeat(64)}` } });
    await expect(run(context)).rejects.toMatchObject({ problems: [{ path: "smoke", message: "There is no eval report for exactly this release" }] });
  });

  it("refuses uncommitted changes that a development release let in", async () => {
    const { context } = await staged({ isDirty: true });
    await expect(run(context)).rejects.toMatchObject({ code: "BUILD_DIRTY" });
    expect(await run(context, true)).toMatchObject({ number: 1 });
  });
});

function caseOf(number: number): EvalReport["cases"][number] {
  return { number, description: null, vars: {}, metadata: {}, output: "x", error: null, verdict: "pass", score: 1, assertions: [], latencyMs: 1, inputTokens: 1, outputTokens: 1, costUsd: 0, retrieved: [] };
}
