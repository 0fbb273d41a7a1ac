import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import OpenAI from "openai";
import { describe, expect, it, onTestFinished } from "vitest";
import { openEmbedder } from "../../../src/adapters/registry.ts";
import type { Embedder } from "../../../src/ports/embedding.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { type EmbeddingServer, type EmbeddingServerOptions, startEmbeddingServer } from "../../helpers/embedding-server.ts";
import { describeEmbedder } from "../../ports/embedding.contract.ts";
import { describeFaults } from "./faults.ts";

const key = "sk-test-0123456789abcdefghij";

async function started(options: EmbeddingServerOptions = {}): Promise<EmbeddingServer> {
  const server = await startEmbeddingServer(options);
  onTestFinished(() => server.close());
  return server;
}

async function opened(reference: string, env: Record<string, string> = {}, dir?: string): Promise<Embedder> {
  return openEmbedder(reference, { dir: dir ?? (await temporaryFolder()), env });
}

const openai = { dimensions: 1536, key, models: ["text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"], maxTextTokens: 8191 };

describeEmbedder("openai", async () => opened("openai:text-embedding-3-small", { OPENAI_API_KEY: key, OPENAI_BASE_URL: (await started(openai)).baseUrl }));
describeEmbedder("an OpenAI-compatible server", async () => opened(`${(await started({ isBase64Known: false })).baseUrl}#nomic-embed-text`));

const refusal = (status: number): { status: number; body: unknown } => ({ status, body: { error: { message: `The server said ${status}`, type: "server_error", param: null, code: status === 429 ? "rate_limit_exceeded" : null } } });
const short = { body: { data: [{ index: 0, embedding: [1, 2, 3] }, { index: 1, embedding: [1, 2, 3] }] } };

describeFaults("openai", {
  key,
  start: () => startEmbeddingServer(openai),
  open: ({ url, key, timeoutMs }) => opened(`openai:text-embedding-3-small?timeoutMs=${timeoutMs}`, { OPENAI_API_KEY: key, OPENAI_BASE_URL: `${url}/v1` }),
  refusal,
  short,
});
describeFaults("an OpenAI-compatible server", {
  key,
  start: () => startEmbeddingServer({ key }),
  open: ({ url, key, timeoutMs }) => opened(`${url}/v1#bge-m3?timeoutMs=${timeoutMs}`, { EMBEDDER_API_KEY: key }),
  refusal,
  short,
});

describe("the mock of OpenAI's API", () => {
  it("answers OpenAI's own client, in base64 and in numbers", async () => {
    const server = await started(openai);
    const client = new OpenAI({ apiKey: key, baseURL: server.baseUrl, maxRetries: 0 });
    const input = ["store configuration in the environment", "send a parcel"];
    const { data, usage } = await client.embeddings.create({ model: "text-embedding-3-small", input, dimensions: 64 });
    const numbers = await client.embeddings.create({ model: "text-embedding-3-small", input, dimensions: 64, encoding_format: "float" });
    expect(server.requests.map(({ body }) => (body as { encoding_format: string }).encoding_format)).toEqual(["base64", "float"]);
    expect(data.map(({ embedding }) => embedding)).toEqual(numbers.data.map(({ embedding }) => embedding.map(Math.fround)));
    expect(usage.total_tokens).toBeGreaterThan(5);
    const ours = await (await opened("openai:text-embedding-3-small?dimensions=64", { OPENAI_API_KEY: key, OPENAI_BASE_URL: server.baseUrl })).embed(input, "document");
    expect(ours.map((vector) => vector.map((value) => Math.round(value * 1e6)))).toEqual(data.map(({ embedding }) => Float32Array.from(embedding, (value) => Math.round(value * 1e6))));
  });

  it("refuses OpenAI's own client as OpenAI does", async () => {
    const server = await started(openai);
    const client = new OpenAI({ apiKey: "sk-other-key-0123", baseURL: server.baseUrl, maxRetries: 0 });
    await expect(client.embeddings.create({ model: "text-embedding-3-small", input: "text" })).rejects.toMatchObject({ status: 401, code: "invalid_api_key" });
    const allowed = new OpenAI({ apiKey: key, baseURL: server.baseUrl, maxRetries: 0 });
    await expect(allowed.embeddings.create({ model: "gpt-5", input: "text" })).rejects.toMatchObject({ status: 404, code: "model_not_found" });
    await expect(allowed.embeddings.create({ model: "text-embedding-3-small", input: ["text", ""] })).rejects.toMatchObject({ status: 400 });
  });
});

describe("openai:", () => {
  it("knows its models without asking: length, limits and price", async () => {
    const small = await opened("openai:text-embedding-3-small");
    expect(small.identity).toEqual({ provider: "openai", model: "text-embedding-3-small", dimensions: 1536, normalised: true, documentTask: null, queryTask: null });
    expect(small).toMatchObject({ maxBatch: 2048, maxBatchTokens: 300_000, maxTextTokens: 8191, usdPerMillionTokens: 0.02, fusionWeight: 1 });
    expect(await opened("openai:text-embedding-3-large?dimensions=256")).toMatchObject({ identity: { dimensions: 256 }, usdPerMillionTokens: 0.13 });
    expect(await opened("openai:text-embedding-ada-002")).toMatchObject({ identity: { dimensions: 1536 }, usdPerMillionTokens: 0.1 });
  });

  it("asks for shorter vectors only where the reference does", async () => {
    const server = await started(openai);
    const env = { OPENAI_API_KEY: key, OPENAI_BASE_URL: server.baseUrl };
    const [short] = await (await opened("openai:text-embedding-3-small?dimensions=512", env)).embed(["text"], "document");
    const [long] = await (await opened("openai:text-embedding-3-small", env)).embed(["text"], "document");
    expect([short?.length, long?.length]).toEqual([512, 1536]);
    expect(server.requests.map(({ body }) => body)).toEqual([
      { model: "text-embedding-3-small", input: ["text"], encoding_format: "base64", dimensions: 512 },
      { model: "text-embedding-3-small", input: ["text"], encoding_format: "base64" },
    ]);
  });

  it("measures a model that it does not know", async () => {
    const server = await started({ dimensions: 96 });
    const embedder = await opened("openai:gateway-model", { OPENAI_BASE_URL: server.baseUrl });
    expect(embedder).toMatchObject({ identity: { provider: "openai", model: "gateway-model", dimensions: 96 }, maxBatch: 256, usdPerMillionTokens: null });
    expect(embedder.maxTextTokens).toBe(undefined);
  });

  it("names the key that is missing, without asking OpenAI", async () => {
    await expect((await opened("openai:text-embedding-3-small")).embed(["text"], "document")).rejects.toMatchObject({
      code: "SERVICE_UNAUTHENTICATED", message: "openai:text-embedding-3-small needs a key, and OPENAI_API_KEY is not set", fix: expect.stringContaining("kind: secret"),
    });
  });

  it("sends organisation and project, and a key without the line break that a file left on it", async () => {
    const server = await started(openai);
    const env = { OPENAI_API_KEY: `${key}\n`, OPENAI_BASE_URL: `${server.baseUrl}/`, OPENAI_ORG_ID: "org-1", OPENAI_PROJECT_ID: "proj-1" };
    await (await opened("openai:text-embedding-3-small", env)).embed(["text"], "document");
    expect(server.requests[0]?.headers).toMatchObject({ authorization: `Bearer ${key}`, "openai-organization": "org-1", "openai-project": "proj-1" });
    await expect(opened("openai:text-embedding-3-small", { ...env, OPENAI_API_KEY: "sk secret" })).rejects.toMatchObject({ code: "SERVICE_UNAUTHENTICATED", message: expect.not.stringContaining("secret") });
  });

  it("does not try again when the quota is used up", async () => {
    const server = await started(openai);
    server.faults.push({ status: 429, headers: { "retry-after": "1" }, body: { error: { message: "You exceeded your current quota", type: "insufficient_quota", code: "insufficient_quota" } } });
    const embedding = (await opened("openai:text-embedding-3-small", { OPENAI_API_KEY: key, OPENAI_BASE_URL: server.baseUrl })).embed(["text"], "document");
    await expect(embedding).rejects.toMatchObject({ code: "SERVICE_QUOTA", retry: undefined, fix: expect.stringContaining("quota") });
  });

  it("puts vectors into the order of the texts, and refuses numbers that do not fit", async () => {
    const server = await started();
    const embedder = await opened(`${server.baseUrl}#any?dimensions=2`);
    const answering = (data: unknown) => {
      server.faults.push({ body: { data } });
      return embedder.embed(["first", "second"], "document");
    };
    expect(await answering([{ index: 1, embedding: [0, 2] }, { index: 0, embedding: [3, 0] }])).toEqual([new Float32Array([1, 0]), new Float32Array([0, 1])]);
    await expect(answering([{ index: 0, embedding: [0, 1] }, { index: 0, embedding: [1, 0] }])).rejects.toMatchObject({ code: "SERVICE_FAILED", message: expect.stringContaining("0 comes twice") });
    await expect(answering([{ index: 0, embedding: [0, 1] }])).rejects.toMatchObject({ message: expect.stringContaining("was asked for 2 vectors and gave 1") });
    await expect(answering([{ index: 0, embedding: [0, 1] }, { index: 1, embedding: [null, 1] }])).rejects.toMatchObject({ message: expect.stringContaining("not a vector of numbers") });
    await expect(answering([{ index: 0, embedding: [0, 1] }, { index: 1, embedding: "AADAfwAAgD8=" }])).rejects.toMatchObject({ message: expect.stringContaining("not finite") });
    await expect(answering("none")).rejects.toMatchObject({ message: expect.stringContaining("without `data`") });
  });

  it.each([
    ["openai:", /names no model/],
    ["openai:text-embedding-3-small?dimension=512", /unknown option "dimension"\. Did you mean "dimensions"\?/],
    ["openai:text-embedding-3-small?dimensions=0", /whole number from 1 to 1536/],
    ["openai:text-embedding-3-small?dimensions=1537", /whole number from 1 to 1536/],
    ["openai:text-embedding-3-small?dimensions=5&dimensions=6", /twice/],
    ["openai:text-embedding-ada-002?dimensions=512", /1536 and no others/],
    ["https://host/v1", /names no model/],
    ["https://host/v1#", /names no model/],
    ["http://#model", /not a URL/],
    ["https://host/v1#model?dimensions=many", /"many"/],
  ])("refuses %s", async (reference, message) => {
    await expect(opened(reference)).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringMatching(message) });
  });

  it("refuses a base URL that is none", async () => {
    await expect(opened("openai:text-embedding-3-small", { OPENAI_BASE_URL: "localhost:4000" })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringContaining("OPENAI_BASE_URL") });
  });
});

describe("an OpenAI-compatible server", () => {
  it("is measured by one request, and is told apart from OpenAI", async () => {
    const server = await started({ dimensions: 96 });
    const embedder = await opened(`${server.baseUrl}#BAAI/bge-m3:latest`);
    expect(embedder.identity).toEqual({ provider: "openai-compatible", model: "BAAI/bge-m3:latest", dimensions: 96, normalised: true, documentTask: null, queryTask: null });
    expect(embedder).toMatchObject({ maxBatch: 256, usdPerMillionTokens: 0 });
    expect(server.requests.map(({ body }) => body)).toEqual([{ model: "BAAI/bge-m3:latest", input: ["dimensions"], encoding_format: "float" }]);
  });

  it("is not asked at all where the reference gives the dimensions", async () => {
    const server = await started();
    expect((await opened(`${server.baseUrl}#any?dimensions=32`)).identity.dimensions).toBe(32);
    expect(server.requests).toEqual([]);
    expect(await opened("https://models.example.com/v1#any?dimensions=32")).toMatchObject({ usdPerMillionTokens: null });
  });

  it("gets the prefixes of a model that wants documents and queries told apart", async () => {
    const server = await started();
    const embedder = await opened(`${server.baseUrl}#nomic-embed-text?dimensions=32&documentPrefix=search_document:%20&queryPrefix=search_query:%20`);
    await embedder.embed(["text"], "document");
    await embedder.embed(["text"], "query");
    expect(server.texts()).toEqual(["search_document: text", "search_query: text"]);
    expect(embedder.identity).toMatchObject({ documentTask: "search_document: ", queryTask: "search_query: " });
  });

  it("never gets OpenAI's key, unless it is the place that OPENAI_BASE_URL names", async () => {
    const server = await started();
    const reference = `${server.baseUrl}#any?dimensions=32`;
    const authorizationOf = async (env: Record<string, string>) => {
      await (await opened(reference, env)).embed(["text"], "document");
      return server.requests.at(-1)?.headers.authorization;
    };
    expect(await authorizationOf({ OPENAI_API_KEY: key })).toBe(undefined);
    expect(await authorizationOf({ OPENAI_API_KEY: key, OPENAI_BASE_URL: "http://127.0.0.1:9/v1" })).toBe(undefined);
    expect(await authorizationOf({ OPENAI_API_KEY: key, OPENAI_BASE_URL: server.baseUrl })).toBe(`Bearer ${key}`);
    expect(await authorizationOf({ OPENAI_API_KEY: key, EMBEDDER_API_KEY: "own" })).toBe("Bearer own");
  });

  it("keeps a query of its address, and follows no redirect", async () => {
    const server = await started();
    const embedder = await opened(`${server.baseUrl}/embed/?version=2#any?dimensions=32`, { EMBEDDER_API_KEY: key });
    server.faults.push({ status: 307, headers: { location: "http://user:word@elsewhere.example/v1/embeddings?token=abc" } });
    await expect(embedder.embed(["text"], "document")).rejects.toMatchObject({
      code: "SERVICE_FAILED", retry: undefined, message: `${server.baseUrl}/embed/?version=2#any answered 307 and points elsewhere, to http://elsewhere.example/v1/embeddings`,
    });
    expect(server.requests.map(({ path }) => path)).toEqual(["/v1/embed/embeddings?version=2"]);
  });

  it("does not take credentials in its address", async () => {
    await expect(opened("https://me:word@host/v1#any")).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.not.stringContaining("word"), fix: expect.stringContaining("EMBEDDER_API_KEY") });
  });
});

describe("the length of a model's vectors, once it was measured", () => {
  it("is remembered in the application's folder, for each server and model, and holds no secret", async () => {
    const server = await started({ dimensions: 96, key });
    const dir = await temporaryFolder();
    const open = async (model: string): Promise<number> => (await opened(`${server.baseUrl}#${model}`, { EMBEDDER_API_KEY: key }, dir)).identity.dimensions;
    expect([await open("one"), await open("one"), await open("other"), await open("one")]).toEqual([96, 96, 96, 96]);
    expect(server.requests.map(({ body }) => (body as { model: string }).model)).toEqual(["one", "other"]);
    const text = await readFile(join(dir, ".twelve/cache/dimensions.json"), "utf8");
    expect(Object.entries(JSON.parse(text) as object)).toEqual([[expect.stringMatching(/^[0-9a-f]{64}$/), 96], [expect.stringMatching(/^[0-9a-f]{64}$/), 96]]);
  });

  it("is forgotten when the model gives others, which is said", async () => {
    const [before, after] = [await started({ dimensions: 96 }), await started({ dimensions: 128 })];
    const dir = await temporaryFolder();
    const open = (): Promise<Embedder> => opened("openai:gateway-model", { OPENAI_BASE_URL: before.baseUrl }, dir);
    await open();
    const embedder = await open();
    before.faults.push({ body: { data: [{ index: 0, embedding: Array.from({ length: 128 }, () => 1) }] } });
    await expect(embedder.embed(["text"], "document")).rejects.toMatchObject({
      code: "SERVICE_FAILED", retry: undefined, message: "openai:gateway-model gave vectors of 96 numbers when it was last measured, and now of 128", fix: "Run the command again: it measures the model anew",
    });
    expect(before.requests).toHaveLength(2);
    await open();
    expect(before.requests).toHaveLength(3);
    expect((await opened("openai:gateway-model", { OPENAI_BASE_URL: after.baseUrl }, dir)).identity.dimensions).toBe(128);
  });

  it("stays remembered when an answer is broken in another way", async () => {
    const server = await started({ dimensions: 96 });
    const dir = await temporaryFolder();
    await opened("openai:gateway-model", { OPENAI_BASE_URL: server.baseUrl }, dir);
    const embedder = await opened("openai:gateway-model", { OPENAI_BASE_URL: server.baseUrl }, dir);
    server.faults.push({ body: { data: [] } });
    await expect(embedder.embed(["text"], "document")).rejects.toMatchObject({ message: "openai:gateway-model was asked for 1 vector and gave 0" });
    await opened("openai:gateway-model", { OPENAI_BASE_URL: server.baseUrl }, dir);
    expect(server.requests).toHaveLength(2);
  });

  it.each(["", "not JSON", '{"a":"b"}', "[]"])("is measured where %j is all that is remembered", async (text) => {
    const server = await started({ dimensions: 96 });
    const dir = await temporaryFolder();
    await mkdir(join(dir, ".twelve/cache"), { recursive: true });
    await writeFile(join(dir, ".twelve/cache/dimensions.json"), text);
    for (let i = 0; i < 2; i++) expect((await opened("openai:gateway-model", { OPENAI_BASE_URL: server.baseUrl }, dir)).identity.dimensions).toBe(96);
    expect(server.requests).toHaveLength(1);
  });

  it("is measured each time where nothing can be written", async () => {
    const server = await started({ dimensions: 96 });
    const dir = await temporaryFolder();
    await writeFile(join(dir, ".twelve"), "a file where the folder would be");
    for (let i = 0; i < 2; i++) expect((await opened("openai:gateway-model", { OPENAI_BASE_URL: server.baseUrl }, dir)).identity.dimensions).toBe(96);
    expect(server.requests).toHaveLength(2);
  });
});
