import { describe, expect, it, onTestFinished } from "vitest";
import { openEmbedder, openStore } from "../../src/adapters/registry.ts";
import { digestOf } from "../../src/core/descriptor.ts";
import { openBudget } from "../../src/index/budget.ts";
import type { TextEmbedder } from "../../src/index/embed.ts";
import { openEmbeddings } from "../../src/index/embeddings.ts";
import { openPacedEmbedder } from "../../src/index/text-embedder.ts";
import { IndexSettings } from "../../src/manifest/schema.ts";
import type { Embedder } from "../../src/ports/embedding.ts";
import { startBedrockServer } from "../helpers/bedrock-server.ts";
import { testContext } from "../helpers/context.ts";

const texts = new Map(Array.from({ length: 30 }, (_, i) => [digestOf(`t${i}`), { digest: digestOf(`t${i}`), text: `t${i}`, tokens: 1 }] as const));

async function paced(embedder: Embedder, embedding?: object): Promise<TextEmbedder> {
  const store = await openStore("memory:", { dir: "/", env: {} });
  return openPacedEmbedder(await testContext({ dir: "/" }), IndexSettings.parse({ source: ["docs"], ...(embedding === undefined ? {} : { embedding }) }), {
    embedder,
    embeddings: await openEmbeddings(store, embedder.identity, new Uint8Array(8)),
    budget: openBudget({ usdPerMillionTokens: 0, maxUsd: undefined, embedder: "fake:m" }),
  });
}

/** Most requests that were under way together, of thirty that each take some turns. */
async function mostAtOnce(limits: Pick<Embedder, "requestsAtOnce">, embedding?: object): Promise<number> {
  let underWay = 0;
  let most = 0;
  const embed: Embedder["embed"] = async (batch) => {
    most = Math.max(most, ++underWay);
    for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setImmediate(resolve));
    underWay--;
    return batch.map(() => Float32Array.of(1, 2));
  };
  const identity = { provider: "fake", model: "m", dimensions: 2, normalised: false, documentTask: null, queryTask: null };
  const embedder = await paced({ identity, maxBatch: 1, usdPerMillionTokens: 0, fusionWeight: 1, embed, check: () => Promise.resolve({ version: null }), ...limits }, embedding);
  await embedder.vectorsOf(texts);
  return most;
}

describe("openPacedEmbedder", () => {
  it("has as many requests under way as the manifest says, else as suits the embedder, else eight", async () => {
    expect(await mostAtOnce({})).toBe(8);
    expect(await mostAtOnce({ requestsAtOnce: 16 })).toBe(16);
    expect(await mostAtOnce({ requestsAtOnce: 16 }, { requestsAtOnce: 3 })).toBe(3);
  });

  it("counts the requests that a service sees, and repeats only the one that was refused", async () => {
    const server = await startBedrockServer();
    onTestFinished(() => server.close());
    const env = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret", AWS_REGION: "us-east-1", AWS_ENDPOINT_URL_BEDROCK_RUNTIME: server.url };
    const embedder = await paced(await openEmbedder("bedrock:amazon.titan-embed-text-v2:0?dimensions=256", { dir: "/", env }));
    server.faults.push({ status: 429, headers: { "x-amzn-errortype": "ThrottlingException" }, body: { message: "Too many requests" } });
    expect((await embedder.vectorsOf(texts)).size).toBe(30);
    expect([embedder.requests, embedder.embedded, server.requests.length]).toEqual([31, 30, 31]);
  });
});
