import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createOpenAI } from "@ai-sdk/openai";
import { embedMany } from "ai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import search from "../../../src/retrieval/command.ts";
import { readActive } from "../../../src/release/read.ts";
import { openRuntime } from "../../../src/run/apply.ts";
import { EmbeddingList } from "../../../src/run/http/embeddings-schema.ts";
import { SearchResult } from "../../../src/run/http/search-schema.ts";
import { testContext, type TestContext } from "../../helpers/context.ts";
import { makeRelease, manifest } from "../release.ts";
import { startServer } from "./fixture.ts";

const agents = `agents:
  german: { prompt: answer, model: "mock:extractive", retrieve: { index: docs, topK: 2, filter: { language: de } } }
  english: { prompt: answer, model: "mock:extractive", retrieve: { index: notes, topK: 1, filter: { language: [en, fr] } } }`;
const app = manifest.replace("agents:", agents).replace("indexes:\n", 'indexes:\n  notes: { source: [docs], embedder: "hash:32" }\n').replace("serve: [support, chat]", "serve: [support, chat, german, english]");
const query = "How large may the body of a request be?";
let context: TestContext;

// One release for all: it is only read.
beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), "twelve-test-"));
  context = await testContext({ dir });
  await makeRelease(context, app);
  return () => rm(dir, { recursive: true, force: true });
});

async function start(names: readonly string[] = ["support", "chat", "english"]) {
  const { activation, ...release } = await readActive(await context.store(), "handbook", "staging");
  const runtime = await openRuntime(context, { release, environment: "staging", attachments: activation.attachments, agents: names, emit: () => {} });
  onTestFinished(() => runtime.close());
  const server = await startServer(runtime);
  const ask = async (path: string, body: unknown) => {
    const response = await server.post(body, {}, path);
    return { status: response.status, body: (await response.json()) as { readonly error?: { readonly message: string } } };
  };
  return { ...server, find: (body: object) => ask("/v1/search", { query, ...body }), embed: (body: object) => ask("/v1/embeddings", { model: "docs", ...body }) };
}

describe("POST /v1/search", () => {
  it("writes what was searched under its trace to the log, and nothing of the question", async () => {
    const { post, lines } = await start();
    const response = await post({ query, index: "docs" }, {}, "/v1/search");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([{ event: "request-finished", trace_id: response.headers.get("x-trace-id"), "http.request.method": "POST", "http.route": "/v1/search", "http.response.status_code": 200, "twelve.duration_ms": expect.any(Number), "twelve.index.name": "docs", "twelve.retrieval.hits": 2 }]);
  });

  it("finds what the command finds, and names it the same", async () => {
    const { find } = await start();
    const { status, body } = await find({ index: "docs" });
    const told = await search.run(search.input.parse({ question: query, index: "docs", agent: "support", env: "staging" }), context);
    expect(status).toBe(200);
    const result = SearchResult.parse(body);
    expect(result).toMatchObject({ question: query, index: told.index, agent: "support", settings: { mode: "hybrid", topK: 2 } });
    expect(result.hits).toEqual(told.hits);
    expect(result.hits[0]).toMatchObject({ number: 1, document: "docs/limits.md", scores: { text: { rank: 1 }, vector: { rank: 1 } } });
  });

  it("searches as an agent does, and as the request says", async () => {
    const { find } = await start();
    expect((await find({ model: "english" })).body).toMatchObject({ index: { name: "notes" }, agent: "english", hits: [{ number: 1 }] });
    expect((await find({ model: "support", topK: 1, mode: "text" })).body).toMatchObject({ settings: { mode: "text", topK: 1 }, hits: [{ scores: { text: { rank: 1 } } }] });
    expect((await find({ model: "support", filter: { language: "xx" } })).body).toMatchObject({ settings: { filter: { language: "xx" } }, hits: [] });
  });

  it("lets nothing in that the agent leaves out", async () => {
    const { find } = await start(["german", "english"]);
    expect((await find({ model: "german" })).body).toMatchObject({ hits: [] });
    expect((await find({ model: "german", filter: { language: "en" } })).body).toMatchObject({ settings: { filter: { language: [] } }, hits: [] });
    expect((await find({ model: "english", filter: { language: ["en", "de"] } })).body).toMatchObject({ settings: { filter: { language: ["en"] } }, hits: [{ document: "docs/limits.md" }] });
    expect((await find({ model: "english", filter: { language: "fr" } })).body).toMatchObject({ hits: [] });
  });

  it.each([
    [{}, 400, "Name what to search: an index (docs, notes), or an agent as model"],
    [{ index: "dogs" }, 404, 'There is no index "dogs". Did you mean "docs"? This release searches: docs, notes'],
    [{ model: "suport" }, 404, 'There is no agent "suport". Did you mean "support"? This release serves: support, chat, english'],
    [{ model: "chat" }, 400, "The agent chat searches no index"],
    [{ model: "support", index: "notes" }, 400, "The agent support searches the index docs, not notes; name one of the two"],
    [{ index: "docs", topK: 0 }, 400, "topK: Too small"],
    [{ index: "docs", mode: "magic" }, 400, "mode: Invalid option"],
    [{ index: "docs", filter: { language: {} } }, 400, "filter.language: "],
    [{ index: "docs", rerank: "tei+http://169.254.169.254" }, 400, "rerank: Unknown field."],
  ])("refuses %j", async (change, status, complaint) => {
    const { find } = await start();
    expect(await find(change)).toMatchObject({ status, body: { error: { message: expect.stringContaining(complaint) } } });
  });

  it("asks whose search it is where agents search an index in different ways", async () => {
    const { find } = await start(["support", "german"]);
    expect(await find({ index: "docs" })).toMatchObject({ status: 400, body: { error: { message: "The agents support, german search the index docs in different ways; name one of them as model" } } });
  });

  it("refuses a filter that would be lost on the way", async () => {
    const { post } = await start();
    expect((await post(`{"query": "x", "index": "docs", "filter": {"__proto__": "x"}}`, {}, "/v1/search")).status).toBe(400);
  });
});

describe("POST /v1/embeddings", () => {
  it("writes what was embedded under its trace to the log", async () => {
    const { post, lines } = await start();
    const response = await post({ model: "docs", input: "body limit" }, {}, "/v1/embeddings");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ event: "request-finished", trace_id: response.headers.get("x-trace-id"), "http.route": "/v1/embeddings", "twelve.index.name": "docs", "gen_ai.usage.input_tokens": 2 }]);
  });

  it("gives the official client the vectors of the index's embedder, whichever way they travel", async () => {
    const { client } = await start();
    const embedder = await context.openEmbedder("hash:64");
    const texts = ["How large may it be?", "Which port?"];
    const expected = (await embedder.embed(texts, "query")).map((vector) => [...vector]);
    const silent = await client.embeddings.create({ model: "docs", input: texts });
    const floats = await client.embeddings.create({ model: "docs", input: texts, encoding_format: "float", dimensions: 64 });
    expect(silent.data.map(({ embedding }) => [...embedding])).toEqual(expected);
    expect(floats.data.map(({ embedding }) => embedding)).toEqual(expected);
    expect(floats).toMatchObject({ object: "list", model: "docs", usage: { prompt_tokens: 9, total_tokens: 9 } });
  });

  it("gives the ai package the same", async () => {
    const { url } = await start();
    const { embeddings } = await embedMany({ model: createOpenAI({ baseURL: `${url}/v1`, apiKey: "none" }).embedding("notes"), values: ["a", "b"] });
    expect(embeddings.map((vector) => vector.length)).toEqual([32, 32]);
  });

  it("is what the documentation says", async () => {
    const { embed } = await start();
    for (const encoding of ["float", "base64"]) expect(EmbeddingList.safeParse((await embed({ input: "a", encoding_format: encoding })).body).error).toBeUndefined();
  });

  it("takes tokens as clients count them, for what they say", async () => {
    const { client } = await start();
    const { encode } = await import("gpt-tokenizer/encoding/cl100k_base");
    const [one, other] = ["How large may a Körper be? 😀", "Which port?"] as const;
    const vectors = async (input: string[] | number[] | number[][]) => (await client.embeddings.create({ model: "docs", input })).data.map(({ embedding }) => embedding);
    expect(await vectors([encode(one), encode(other)])).toEqual(await vectors([one, other]));
    expect(await vectors(encode(one))).toEqual(await vectors([one]));
  });

  it.each([
    [{ input: [1, 9_999_999] }, 400, "The input has tokens that are not of the encoding cl100k_base; input: Send texts, or tokens of cl100k_base"],
    [{ input: [[1], [9_999_999]] }, 400, "input[1]: Send texts"],
    [{ input: [[]] }, 400, "input[0]: A text must hold something"],
    [{ input: ["a", 1] }, 400, "input[1]: Expected a text"],
    [{ input: "" }, 400, "input: A text must hold something"],
    [{ input: ["a", ""] }, 400, "input[1]: A text must hold something"],
    [{ input: [] }, 400, "input: "],
    [{ input: "a", dimensions: 3 }, 400, "The vectors of the index docs have 64 dimensions, not 3; leave dimensions out"],
    [{ input: "a", model: "dogs" }, 404, 'There is no index "dogs". Did you mean "docs"? This release searches: docs, notes'],
    [{ input: "a", encoding_format: "hex" }, 400, "encoding_format: "],
  ])("refuses %j", async (change, status, complaint) => {
    const { embed } = await start();
    expect(await embed(change)).toMatchObject({ status, body: { error: { message: expect.stringContaining(complaint) } } });
  });
});

describe("GET /v1/models", () => {
  it("lists agents and indexes, and says which is which", async () => {
    const { client } = await start();
    const { data } = await client.models.list();
    expect(data.map(({ id, owned_by }) => [id, owned_by])).toEqual([["support", "twelve-agent"], ["chat", "twelve-agent"], ["english", "twelve-agent"], ["docs", "twelve-index"], ["notes", "twelve-index"]]);
    expect(await client.models.retrieve("notes")).toMatchObject({ id: "notes", owned_by: "twelve-index" });
  });
});
