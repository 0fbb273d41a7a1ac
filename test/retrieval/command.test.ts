import { describe, expect, it } from "vitest";
import index from "../../src/index/command.ts";
import search from "../../src/retrieval/command.ts";
import { temporaryFolder, testContext, type TestContext } from "../helpers/context.ts";
import { handbook } from "../helpers/handbook.ts";
import { makeRelease, manifest, writeFiles } from "../run/release.ts";

type Input = Parameters<typeof search.input.parse>[0];
const run = (context: TestContext, input: Input) => search.run(search.input.parse(input), context);
const shown = async (context: TestContext, input: Input): Promise<string> => search.render(await run(context, input), search.input.parse(input));

async function released(text = manifest): Promise<TestContext> {
  const context = await testContext({ dir: await temporaryFolder() });
  await makeRelease(context, text);
  return context;
}

describe("twelve search", () => {
  it("finds what the active release would retrieve, with the agent's settings", async () => {
    const context = await released();
    const found = await run(context, { question: "how large may a request be?", env: "staging" });
    expect(found).toMatchObject({ app: "handbook", environment: "staging", release: { number: 1 }, agent: "support", index: { name: "docs", documents: 2, chunks: 2 }, settings: { topK: 2, mode: "hybrid" }, weights: { text: 1, vector: 0.01 } });
    expect(found.hits.map(({ number, document }) => [number, document])).toEqual([[1, "docs/limits.md"], [2, "docs/ports.md"]]);
    expect(search.output.parse(found)).toEqual(found);
  });

  it("searches the newest index where the environment has no release, and says so", async () => {
    const context = await released();
    const text = await shown(context, { question: "port", topK: 1 });
    expect(text).toMatch(/^handbook has no active release in development: this is its newest index, with the configuration of now\nIndex docs \(\w+, 2 chunks of 2 documents\): hybrid, best 1, as the agent support searches\n/);
    expect(text).toContain("\n 1. docs/ports.md  0.0166\n    Ports\n    The server listens on port 3000 unless PORT says otherwise.");
  });

  it("keeps to a release that is named, whatever the manifest says by now", async () => {
    const context = await released();
    await writeFiles(context.dir, { "twelve.yaml": manifest.replaceAll("docs", "papers").replace("source: [papers]", "source: [docs]") });
    expect(await run(context, { question: "port", release: "v1", index: "docs" })).toMatchObject({ release: { number: 1 }, index: { name: "docs" } });
    await expect(run(context, { question: "port", release: "v1", index: "dosc" })).rejects.toMatchObject({ code: "INDEX_UNKNOWN", message: expect.stringContaining('Did you mean "docs"?') });
    await expect(run(context, { question: "port" })).rejects.toMatchObject({ code: "INDEX_NOT_FOUND", fix: "Run `twelve index papers`" });
    await expect(run(context, { question: "port", release: "v9" })).rejects.toMatchObject({ code: "RELEASE_NOT_FOUND" });
    await expect(run(context, { question: "port", env: "stagging" })).rejects.toMatchObject({ code: "ENVIRONMENT_UNKNOWN" });
  });

  it("lets flags win over the agent's settings", async () => {
    const context = await released(manifest.replace('topK: "${TOP_K}"', 'topK: "${TOP_K}", filter: { document: docs/ports.md }'));
    const given = { question: "request port", env: "staging" };
    expect((await run(context, given)).hits.map(({ document }) => document)).toEqual(["docs/ports.md"]);
    const { settings, hits } = await run(context, { ...given, mode: "text", topK: 9, minScore: 0.01, filter: ["document=docs/limits.md", "document=docs/ports.md"] });
    expect(settings).toEqual({ mode: "text", topK: 9, minScore: 0.01, filter: { document: ["docs/limits.md", "docs/ports.md"] } });
    expect(hits).toHaveLength(2);
    expect((await run(context, { ...given, minScore: 1 })).hits).toEqual([]);
  });

  it("takes any word as a filter's key, those that every object answers to as well", async () => {
    const context = await testContext({ dir: await temporaryFolder() });
    await writeFiles(context.dir, { "docs/more.md": "---\nconstructor: 1\ntoString: [a, b]\nhasOwnProperty: {x: 2}\n---\n# More\n\nA request comes in at the port.\n" });
    await makeRelease(context);
    for (const key of ["constructor=1", "toString=b", "hasOwnProperty.x=2"]) {
      const { hits } = await run(context, { question: "request port", env: "staging", filter: [key, key] });
      expect([key, hits.map(({ document }) => document)]).toEqual([key, ["docs/more.md"]]);
    }
    expect((await run(context, { question: "request port", env: "staging", filter: ["valueOf=1"] })).hits).toEqual([]);
  });

  it.each([
    ["a filter without a value", { filter: ["language"] }, "USAGE_INVALID", "--filter language: expected key=value"],
    ["a filter by what no metadata is called", { filter: ["__proto__=1"] }, "USAGE_INVALID", "--filter __proto__=1: no document has metadata of that name"],
    ["a reranker that is no URL", { rerank: "nowhere" }, "USAGE_INVALID", "--rerank: "],
    ["a reranker of an unknown kind", { rerank: "nothing:here" }, "SERVICE_UNSUPPORTED", "nothing:"],
    ["an agent that does not exist", { agent: "suport" }, "AGENT_UNKNOWN", 'Did you mean "support"?'],
  ])("refuses %s", async (_, input, code, message) => {
    const context = await released();
    await expect(run(context, { question: "port", env: "staging", ...input })).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it("explains what each stage made of a chunk", async () => {
    const text = await shown(await released(), { question: "port", env: "staging", explain: true, topK: 1 });
    expect(text).toMatch(/^Release v1 of handbook\n/);
    expect(text).toMatch(/ {4}text {4}place 1, BM25 \d\.\d{4}; gives 1 \/ \(60 \+ 1\) = 0\.01639\n {4}vector {2}place 1, cosine 0\.\d{4}; gives 0\.01 \/ \(60 \+ 1\) = 0\.00016\n {4}fused {3}0\.01656$/);
    const alone = await shown(await released(), { question: "port", env: "staging", explain: true, topK: 2, mode: "text" });
    expect(alone).toMatch(/ {4}text {4}place 1, BM25 \d\.\d{4}$/);
  });

  it("says when nothing was found", async () => {
    const context = await released();
    for (const question of ["", "🙂"]) expect(await shown(context, { question, env: "staging" })).toMatch(/\n\nNothing was found\.$/);
    expect(await shown(context, { question: "port", env: "staging", filter: ["team=none"] })).toMatch(/\n\nNothing was found with that filter\.$/);
  });

  it("needs no key that a search does not use", async () => {
    const dir = await handbook(await temporaryFolder());
    const context = await testContext({ dir });
    await index.run(index.input.parse({}), context);
    await writeFiles(dir, { "twelve.yaml": 'name: handbook\nconfig: { CHAT_MODEL: {}, K: { type: integer } }\nindexes: { docs: { source: [docs], embedder: "hash:256" }, other: { source: [x], embedder: "${CHAT_MODEL}" } }\nagents: { a: { prompt: p, model: "${CHAT_MODEL}", retrieve: { index: docs, topK: "${K}" } } }\n' });
    const set = { ...context, env: { K: "1" } };
    expect(await run(set, { question: "refunds" })).toMatchObject({ agent: "a", settings: { topK: 1 }, hits: [{ number: 1 }] });
  });
});
