import { describe, expect, it, onTestFinished } from "vitest";
import build from "../../src/build/command.ts";
import { askLives } from "../../src/manifest/told-lives.ts";
import { startBedrockServer } from "../helpers/bedrock-server.ts";
import { fixedClock, temporaryFolder, testContext, type TestContext } from "../helpers/context.ts";
import { gitApp, smallApp } from "../helpers/git-app.ts";
import type { ServiceServer } from "../helpers/service-server.ts";

const keys = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI0123456789", AWS_REGION: "us-east-1" };
/** Ends on 2027-01-15, as the stand-in for Bedrock says. */
const old = "bedrock:meta.llama-old-v1:0";

async function bedrock(): Promise<ServiceServer> {
  const server = await startBedrockServer();
  onTestFinished(() => server.close());
  return server;
}

async function asking(day: string, url: string, dir?: string): Promise<TestContext> {
  const clock = { ...fixedClock(), now: () => new Date(`${day}T12:00:00Z`) };
  return testContext({ dir: dir ?? (await temporaryFolder()), clock, env: { ...keys, AWS_ENDPOINT_URL: url } });
}

describe("asking how long a model will live", () => {
  it("asks Bedrock, once for each model, and only where nobody else knows", async () => {
    const server = await bedrock();
    const context = await asking("2026-11-25", server.url);
    const models = [
      { role: "model", reference: old, path: "agents.a.model" },
      { role: "model", reference: old, path: "agents.b.model" },
      { role: "embedder", reference: "bedrock:amazon.titan-embed-text-v1", path: "indexes.docs.embedder" },
      { role: "reranker", reference: "bedrock:cohere.rerank-v3-5:0", path: "agents.a.retrieve.reranker" },
      { role: "model", reference: "bedrock:anthropic.claude-test-v1:0", path: "agents.c.model" },
      { role: "model", reference: "openai:gpt-4", path: "agents.d.model" },
    ] as const;
    const told = await askLives(context, models, { "bedrock:anthropic.claude-test-v1:0": { endOfLife: null } });
    expect(Object.fromEntries(told)).toEqual({
      [old]: { state: "ending", endOfLife: "2027-01-15", source: "Bedrock" },
      "bedrock:amazon.titan-embed-text-v1": { state: "ending", endOfLife: "2026-12-24", source: "Bedrock" },
      "bedrock:cohere.rerank-v3-5:0": { state: "active", endOfLife: null, source: "Bedrock" },
    });
    expect(server.requests.map(({ path }) => path)).toHaveLength(3);
    expect(context.told).toEqual([]);
  });

  it("tells what it could not find out, and goes on", async () => {
    const server = await bedrock();
    const away = await asking("2026-11-25", "http://127.0.0.1:9");
    expect(await askLives(away, [{ role: "model", reference: old, path: "p" }], {})).toEqual(new Map());
    expect(away.told).toEqual([expect.stringMatching(/^note Nobody could be asked how long bedrock:meta\.llama-old-v1:0 will live: /)]);
    const here = await asking("2026-11-25", server.url);
    expect(await askLives(here, [{ role: "model", reference: "bedrock:meta.unheard-of-v1:0", path: "p" }], {})).toEqual(new Map());
    expect(here.told).toEqual([expect.stringMatching(/^warn .*meta\.unheard-of-v1:0/)]);
  });
});

describe("a build with a model of Bedrock's", () => {
  const app = { ...smallApp, "twelve.yaml": `name: shop\nagents:\n  shop: { prompt: answer, model: "${old}" }\n` };
  const built = async (day: string): Promise<readonly string[]> => (await build.run({ dryRun: true, strict: false }, await asking(day, (await bedrock()).url, await gitApp(app)))).warnings;

  it("warns in the last ninety days, and is refused after the end, with the line", async () => {
    expect(await built("2026-10-01")).toEqual([]);
    expect(await built("2026-11-25")).toEqual([expect.stringMatching(/^twelve\.yaml:3:\d+ agents\.shop\.model: bedrock:meta\.llama-old-v1:0 reaches its end of life on 2027-01-15, in 51 days \(Bedrock\)$/)]);
    await expect(built("2027-01-15")).rejects.toMatchObject({ code: "MODEL_RETIRED", problems: [{ file: "twelve.yaml", line: 3, path: "agents.shop.model" }] });
  });
});
