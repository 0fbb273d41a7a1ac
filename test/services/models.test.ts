import { describe, expect, it, onTestFinished } from "vitest";
import check from "../../src/services/models-check-command.ts";
import list from "../../src/services/models-list-command.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { catalogueReply } from "../helpers/bedrock-catalogue.ts";
import { refuse, startBedrockServer } from "../helpers/bedrock-server.ts";
import { fixedClock, temporaryFolder, testContext, type TestContext } from "../helpers/context.ts";
import { startServer } from "../helpers/service-server.ts";
import { writeFiles } from "../run/release.ts";

const clock: Clock = { ...fixedClock(), now: () => new Date("2026-11-25T12:00:00Z") };

/** An application whose agent names these models, beside a Bedrock that knows two. */
async function app(models: readonly string[], lifecycle = "{}", { embedder = "hash:64", reranker = "", env = {} }: { readonly embedder?: string; readonly reranker?: string; readonly env?: Record<string, string> } = {}): Promise<TestContext> {
  const server = await startBedrockServer();
  onTestFinished(() => server.close());
  const dir = await temporaryFolder();
  const reranked = reranker === "" ? "" : `, reranker: "${reranker}"`;
  await writeFiles(dir, { "twelve.yaml": `name: app\nconfig: { CHAT_MODEL: {} }\nagents:\n  support: { prompt: answer, model: ${JSON.stringify(models)}, retrieve: { index: docs${reranked} } }\nindexes:\n  docs: { source: [docs], embedder: "${embedder}" }\nlifecycle: ${lifecycle}\n` });
  const aws = { AWS_ENDPOINT_URL: server.url, AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret", CHAT_MODEL: "mock:echo" };
  return testContext({ dir, env: Object.fromEntries(Object.entries({ ...aws, ...env }).filter(([, value]) => value !== "")), clock });
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

  it("says which key hides a model, instead of leaving the model out", async () => {
    const context = await app(["mock:echo", "openai:${CHAT_MODEL}"], "{}", { env: { CHAT_MODEL: "" } });
    const output = await listed(context);
    expect([output.models.map(({ model }) => model), output.missing.map(({ name, problem }) => [name, problem.code])]).toEqual([["mock:echo", "hash:64"], [["configuration CHAT_MODEL", "CONFIG_INVALID"]]]);
    expect(list.render(output, list.input.parse({}))).toContain("\n\nconfiguration CHAT_MODEL: ");
    expect(check.verdict?.(await checked(context))).toEqual({ exit: 6, message: "configuration CHAT_MODEL: not every model is known" });
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

  it("asks Bedrock for the life of an embedder and a reranker, too", async () => {
    const output = await checked(await app(["mock:echo"], "{}", { embedder: "bedrock:amazon.titan-embed-text-v1", reranker: "bedrock:cohere.rerank-v3-5:0" }));
    expect(output.models.map(({ model, exists, state, endOfLife, source }) => [model, exists, state, endOfLife, source])).toEqual([
      ["mock:echo", true, "active", null, null],
      ["bedrock:amazon.titan-embed-text-v1", true, "ending", "2026-12-24", "provider"],
      ["bedrock:cohere.rerank-v3-5:0", true, "legacy", null, "provider"],
    ]);
  });

  it("takes an embedder that its role may not look up for what the table says", async () => {
    const catalogue = await startServer(() => refuse(403, "AccessDeniedException", "User is not authorized to perform: bedrock:GetFoundationModel"));
    onTestFinished(() => catalogue.close());
    const output = await checked(await app(["mock:echo"], "{}", { embedder: "bedrock:amazon.titan-embed-text-v1", env: { AWS_ENDPOINT_URL_BEDROCK: catalogue.url } }));
    expect(output.models[1]).toMatchObject({ exists: true, state: "unknown", endOfLife: null, problem: null });
    expect(check.verdict?.(output)).toBeUndefined();
  });

  it("asks OpenAI, and believes it above the table", async () => {
    const openai = await startServer(() => ({ body: { object: "list", data: [{ id: "gpt-4", shutdown_date: "2027-06-01" }] } }));
    onTestFinished(() => openai.close());
    const output = await checked(await app(["openai:gpt-4"], "{}", { env: { OPENAI_BASE_URL: `${openai.url}/v1`, OPENAI_API_KEY: "sk-test" } }));
    expect(output.models[0]).toMatchObject({ exists: true, state: "ending", endOfLife: "2027-06-01", source: "provider" });
  });

  it("does not claim that a model is there when the server does not say, and believes who knows", async () => {
    const gateway = await startServer(() => ({ status: 404, body: {} }));
    onTestFinished(() => gateway.close());
    const model = `${gateway.url}/v1#m`;
    const output = await checked(await app([model]));
    expect(output.models[0]).toMatchObject({ exists: null, state: "unknown", detail: "the server does not list its models", problem: null });
    expect(check.verdict?.(output)).toEqual({ exit: 6, message: "1 of 2 models could not be asked for" });
    expect(check.render(output, check.input.parse({}))).toContain(`\n\n${model}: the server does not list its models`);
    const known = await checked(await app([model], `{ "${model}": { endOfLife: 2027-06-01 } }`));
    expect(known.models[0]).toMatchObject({ exists: null, state: "ending", source: "twelve.yaml" });
    expect(check.verdict?.(known)).toBeUndefined();
  });

  it("misses a local model that twelve.lock does not name", async () => {
    const output = await checked(await app(["mock:echo"], "{}", { embedder: "transformers:models/small" }));
    expect(output.models[1]).toMatchObject({ exists: false, problem: { code: "MODEL_UNPINNED" } });
    expect(check.verdict?.(output)?.exit).toBe(100);
  });

  it("ends with 100 for a model that is gone, and for one whose time is over", async () => {
    const gone = await checked(await app(["bedrock:anthropic.claude-gone-v1:0"]));
    expect(gone.models[0]).toMatchObject({ exists: false, problem: { code: "SERVICE_NOT_FOUND" } });
    expect(check.verdict?.(gone)).toEqual({ exit: 100, message: "1 of 2 models is gone or past the end of life" });
    const over = await checked(await app(["bedrock:anthropic.claude-test-v1:0"], '{ "bedrock:anthropic.claude-test-v1:0": { endOfLife: 2026-11-25 } }'));
    expect(over.models[0]).toMatchObject({ exists: true, state: "ended", source: "twelve.yaml" });
    expect(check.verdict?.(over)?.exit).toBe(100);
  });

  it("ends with 100 for a profile whose model is gone: the profile outlives it", async () => {
    const bedrock = await startServer(({ path }) => (path.startsWith("/inference-profiles/") ? (catalogueReply(path) ?? {}) : refuse(404, "ResourceNotFoundException", "The model is past its end of life")));
    onTestFinished(() => bedrock.close());
    const output = await checked(await app(["bedrock:us.anthropic.claude-test-v1:0"], "{}", { env: { AWS_ENDPOINT_URL: bedrock.url } }));
    expect(output.models[0]).toMatchObject({ exists: false, problem: { code: "SERVICE_NOT_FOUND" } });
    expect(check.verdict?.(output)?.exit).toBe(100);
  });

  it("ends with 6 where a provider cannot be asked", async () => {
    const output = await checked(await app(["http://127.0.0.1:1/v1#m"]));
    expect(output.models[0]).toMatchObject({ exists: null, state: "unknown", problem: { code: "SERVICE_UNAVAILABLE" } });
    expect(check.verdict?.(output)).toEqual({ exit: 6, message: "1 of 2 models could not be asked for" });
  });
});
