import { describe, expect, it, onTestFinished } from "vitest";
import check from "../../src/services/models-check-command.ts";
import list from "../../src/services/models-list-command.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { startBedrockServer } from "../helpers/bedrock-server.ts";
import { fixedClock, temporaryFolder, testContext, type TestContext } from "../helpers/context.ts";
import { writeFiles } from "../run/release.ts";

const clock: Clock = { ...fixedClock(), now: () => new Date("2026-11-25T12:00:00Z") };

/** An application whose agent names these models, beside a Bedrock that knows two. */
async function app(models: readonly string[], lifecycle = "{}"): Promise<TestContext> {
  const server = await startBedrockServer();
  onTestFinished(() => server.close());
  const dir = await temporaryFolder();
  await writeFiles(dir, { "twelve.yaml": `name: app\nagents:\n  support: { prompt: answer, model: ${JSON.stringify(models)}, retrieve: { index: docs } }\nindexes:\n  docs: { source: [docs], embedder: "hash:64" }\nlifecycle: ${lifecycle}\n` });
  const env = { AWS_ENDPOINT_URL: server.url, AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" };
  return testContext({ dir, env, clock });
}

const listed = async (context: TestContext) => list.run(list.input.parse({}), context);
const checked = async (context: TestContext) => check.run(check.input.parse({}), context);

describe("twelve models list", () => {
  it("tells of every model what is known, and asks nobody", async () => {
    const context = await app(["bedrock:anthropic.claude-test-v1:0", "openai:gpt-4", "openai:other"], '{ "openai:other": { endOfLife: 2027-03-01 } }');
    const { models, release } = await listed(context);
    expect(release).toBeNull();
    expect(models.map(({ model, use, exists, state, endOfLife, source }) => [model, use, exists, state, endOfLife, source])).toEqual([
      ["bedrock:anthropic.claude-test-v1:0", "model of agent support", null, "unknown", null, null],
      ["openai:gpt-4", "model of agent support", null, "ended", "2026-10-23", "table of 2026-11-25"],
      ["openai:other", "model of agent support", null, "ending", "2027-03-01", "twelve.yaml"],
      ["hash:64", "embedder of index docs", null, "active", null, null],
    ]);
  });
});

describe("twelve models check", () => {
  it("asks Bedrock for state and end of life", async () => {
    const output = await checked(await app(["bedrock:anthropic.claude-test-v1:0", "bedrock:eu.meta.llama-old-v1:0"]));
    expect(output.models.map(({ model, exists, state, endOfLife, source }) => [model, exists, state, endOfLife, source])).toEqual([
      ["bedrock:anthropic.claude-test-v1:0", true, "active", null, "provider"],
      ["bedrock:eu.meta.llama-old-v1:0", true, "ending", "2027-01-15", "provider"],
      ["hash:64", true, "active", null, null],
    ]);
    expect(check.verdict?.(output)).toBeUndefined();
    expect(check.render(output, check.input.parse({}))).toContain("ending  2027-01-15   provider");
  });

  it("ends with 100 for a model that is gone, and for one whose time is over", async () => {
    const gone = await checked(await app(["bedrock:anthropic.claude-gone-v1:0"]));
    expect(gone.models[0]).toMatchObject({ exists: false, problem: { code: "SERVICE_NOT_FOUND" } });
    expect(check.verdict?.(gone)).toEqual({ exit: 100, message: "1 of 2 models is gone or past the end of life" });
    const over = await checked(await app(["bedrock:anthropic.claude-test-v1:0"], '{ "bedrock:anthropic.claude-test-v1:0": { endOfLife: 2026-11-25 } }'));
    expect(over.models[0]).toMatchObject({ exists: true, state: "ended", source: "twelve.yaml" });
    expect(check.verdict?.(over)?.exit).toBe(100);
  });

  it("ends with 6 where a provider cannot be asked", async () => {
    const output = await checked(await app(["http://127.0.0.1:1/v1#m"]));
    expect(output.models[0]).toMatchObject({ exists: null, state: "unknown", problem: { code: "SERVICE_UNAVAILABLE" } });
    expect(check.verdict?.(output)).toEqual({ exit: 6, message: "1 of 2 models could not be asked for" });
  });
});
