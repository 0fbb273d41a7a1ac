import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openService } from "../../../src/adapters/vectors/opensearch/adapter.ts";
import type { VectorIndex, VectorRow } from "../../../src/ports/vectors.ts";
import { type OpenSearchServer, openSearchVersions, startOpenSearch, withoutOpenSearch } from "../../helpers/opensearch.ts";
import { describeVectorService } from "../../ports/vector-service.contract.ts";

function rowOf(i: number): VectorRow {
  return { id: `r${i}`, document: "d", headings: "", text: `Row number ${i}`, language: "en", metadata: {}, vector: Float32Array.of(1, i) };
}

async function* streamOf(...batches: readonly (readonly VectorRow[])[]): AsyncIterable<readonly VectorRow[]> {
  yield* batches;
}

describe.skipIf(withoutOpenSearch).each(openSearchVersions)("on an OpenSearch server of version %s with the k-NN plugin", { timeout: 60_000 }, (version) => {
  let server: OpenSearchServer;
  beforeAll(async () => {
    server = await startOpenSearch(version);
  }, 150_000);
  afterAll(() => server.stop());

  describeVectorService(`opensearch ${version}`, () => openService(server.url, {}), { text: "equal", timeoutMs: 60_000 });

  const open = (options = ""): ReturnType<typeof openService> => openService(`${server.url}${options}`, {});
  const indexesOf = async (namespace: string): Promise<readonly string[]> => ((await server.ask("GET", `/_cat/indices/twelve-vectors.${namespace}.*?format=json`)) as { readonly index: string }[]).map(({ index }) => index);

  it("says its version and what it holds", async () => {
    const service = await open();
    await service.publish("docs", { dimensions: 2, rows: streamOf([rowOf(1)]) });
    const count = (await service.namespaces()).length;
    expect(await service.check()).toEqual({ version: expect.stringMatching(/^[23]\.\d+\.\d+$/), detail: count === 1 ? "OpenSearch, 1 published index" : `OpenSearch, ${count} published indexes` });
    await service.drop("docs");
    await service.close();
  });

  it("removes what a killed process left behind when the namespace is published again", async () => {
    const service = await open();
    await server.ask("PUT", "/twelve-vectors.left.00000000", { aliases: { "twelve-vectors.left.00000000.loading": {} } });
    expect(await service.namespaces()).not.toContain("left");
    await service.publish("left", { dimensions: 2, rows: streamOf([rowOf(1), rowOf(2)]) });
    expect(await indexesOf("left")).toEqual([expect.not.stringContaining("00000000")]);
    expect(await (await service.open("left")).count()).toBe(2);
    await service.drop("left");
    expect(await indexesOf("left")).toEqual([]);
    await service.close();
  });

  it("fails, and makes no index of its own, when another process publishes the same namespace meanwhile", async () => {
    const [first, second] = [await open(), await open()];
    async function* overtaken(): AsyncIterable<readonly VectorRow[]> {
      yield [rowOf(1)];
      await second.publish("both", { dimensions: 2, rows: streamOf([rowOf(2)]) });
      yield [rowOf(3)];
    }
    await expect(first.publish("both", { dimensions: 2, rows: overtaken() })).rejects.toMatchObject({ code: "RELEASE_CONFLICT", message: expect.stringContaining("both") });
    expect(await indexesOf("both")).toHaveLength(1);
    expect((await (await second.open("both")).search({ mode: "text", text: "row", topK: 5 })).map(({ id }) => id)).toEqual(["r2"]);
    await first.drop("both");
    await first.close();
    await second.close();
  });

  it("keeps the old rows until the new ones are complete, and then tells a reader to open it again", async () => {
    const service = await open();
    await service.publish("anew", { dimensions: 2, rows: streamOf([rowOf(1)]) });
    const old = await service.open("anew");
    async function* watched(): AsyncIterable<readonly VectorRow[]> {
      yield [rowOf(2)];
      expect(await old.count()).toBe(1);
    }
    await service.publish("anew", { dimensions: 2, rows: watched() });
    await expect(old.count()).rejects.toMatchObject({ code: "INDEX_NOT_FOUND", fix: expect.stringContaining("open it again") });
    await service.drop("anew");
    await service.close();
  });

  it("lists no namespace of another layout, and drops it", async () => {
    const service = await open();
    await server.ask("PUT", "/twelve-vectors.old.00000000", { aliases: { "twelve-vectors.old": {} }, mappings: { _meta: { layout: 0 } } });
    expect(await service.namespaces()).not.toContain("old");
    await expect(service.open("old")).rejects.toMatchObject({ code: "INDEX_NOT_FOUND" });
    await service.drop("old");
    expect(await indexesOf("old")).toEqual([]);
    await service.close();
  });

  it("gives back a vector of zeros, and finds it by its words only", async () => {
    const service = await open();
    await service.publish("zero", { dimensions: 2, rows: streamOf([{ ...rowOf(1), vector: new Float32Array(2) }, rowOf(2)]) });
    const index = await service.open("zero");
    expect((await index.search({ mode: "vector", text: "", vector: Float32Array.of(1, 1), topK: 5 })).map(({ id }) => id)).toEqual(["r2"]);
    expect(await index.search({ mode: "text", text: "row", topK: 5 })).toHaveLength(2);
    for await (const [row] of index.rows(["r1"])) expect(row?.vector).toEqual(new Float32Array(2));
    await service.drop("zero");
    await service.close();
  });

  it("adds up the words of a question that has more of them than the server takes at once", async () => {
    const service = await open();
    const word = (i: number): string => `w${i.toString(36)}`;
    const rows = Array.from({ length: 40 }, (_, i): VectorRow => ({ ...rowOf(i), language: null, text: Array.from({ length: 60 }, (__, k) => word(i * 25 + k)).join(" ") }));
    await service.publish("words", { dimensions: 2, rows: streamOf(rows) });
    const index = await service.open("words");
    const text = Array.from({ length: 1000 }, (_, i) => word(i)).join(" ");
    expect(text.length).toBeLessThan(4096);
    // Twice the words in the end says twice as much of the last two.
    const hits = await index.search({ mode: "text", text, topK: 40 });
    const halves = await Promise.all([text.slice(0, text.indexOf(` ${word(500)} `)), text.slice(text.indexOf(` ${word(500)} `))].map((half) => index.search({ mode: "text", text: half, topK: 40 })));
    const sums = new Map<string, number>();
    for (const half of halves) for (const { id, score } of half) sums.set(id, (sums.get(id) ?? 0) + score);
    expect(hits).toHaveLength(40);
    for (const { id, score } of hits) expect(score).toBeCloseTo(sums.get(id) ?? 0, 3);
    expect(hits.map(({ score }) => score)).toEqual(hits.map(({ score }) => score).toSorted((left, right) => right - left));
    await service.drop("words");
    await service.close();
  });

  it("takes labels and words that are longer than the server's", async () => {
    const service = await open();
    const [note, word] = ["n".repeat(40_000), "x".repeat(40_000)];
    await service.publish("long", { dimensions: 2, rows: streamOf([{ ...rowOf(1), text: word, metadata: { note } }, { ...rowOf(2), metadata: { note: `${note}n` } }]) });
    const index = await service.open("long");
    expect((await index.search({ mode: "vector", text: "", vector: Float32Array.of(1, 1), topK: 5, filter: { note: [note] } })).map(({ id }) => id)).toEqual(["r1"]);
    await service.drop("long");
    await service.close();
  });

  it("gives more hits than the server gives at once", async () => {
    const service = await open();
    const rows = Array.from({ length: 11_000 }, (_, i) => rowOf(i));
    await service.publish("many", { dimensions: 2, rows: streamOf(rows) });
    const index = await service.open("many");
    const numberOf = async (mode: "vector" | "text"): Promise<number> => new Set((await index.search({ mode, text: "row", vector: Float32Array.of(1, 1), topK: 10_500 })).map(({ id }) => id)).size;
    expect([await numberOf("vector"), await numberOf("text")]).toEqual([10_500, 10_500]);
    let ids = 0;
    for await (const id of index.ids()) ids += id === "" ? 0 : 1;
    expect(ids).toBe(11_000);
    await service.drop("many");
    await service.close();
  });

  it("finds nine in ten of the nearest by a graph, and as many as are asked for through a filter", async () => {
    const [graphs, exactly] = [await open("?index=hnsw"), await open()];
    const random = (seed: number): number => Math.sin(seed * 12.9898) * 43_758.5453 % 1;
    const vectorOf = (i: number): Float32Array => Float32Array.from({ length: 32 }, (_, k) => random(i * 32 + k + 1));
    const many = Array.from({ length: 3000 }, (_, i): VectorRow => ({ ...rowOf(i), metadata: { part: String(i % 50) }, vector: i === 5 ? new Float32Array(32) : vectorOf(i) }));
    await graphs.publish("graph", { dimensions: 32, rows: streamOf(many) });
    await exactly.publish("exact", { dimensions: 32, rows: streamOf(many) });
    const [graph, exact]: readonly VectorIndex[] = [await exactly.open("graph"), await exactly.open("exact")];
    let same = 0;
    for (let i = 0; i < 20; i += 1) {
      const question = { mode: "vector", text: "", vector: vectorOf(10_000 + i), topK: 10 } as const;
      const nearest = new Set((await exact?.search(question))?.map(({ id }) => id));
      same += (await graph?.search(question))?.filter(({ id }) => nearest.has(id)).length ?? 0;
    }
    expect(same).toBeGreaterThanOrEqual(180);
    expect(await graph?.search({ mode: "vector", text: "", vector: vectorOf(9999), topK: 10, filter: { part: ["7"] } })).toHaveLength(10);
    for await (const [row] of graph?.rows(["r7"]) ?? []) expect(row?.vector).toEqual(vectorOf(7));
    for (const namespace of ["graph", "exact"]) await exactly.drop(namespace);
    await graphs.close();
    await exactly.close();
  });

  it("refuses vectors longer than the server can hold", async () => {
    const service = await open();
    await expect(service.publish("wide", { dimensions: 16_001, rows: streamOf() })).rejects.toMatchObject({ code: "SERVICE_REJECTED" });
    await service.close();
  });

  it("says that a cluster is closed for writing, and why", async () => {
    const service = await open();
    await server.ask("PUT", "/_cluster/settings", { transient: { "cluster.max_shards_per_node": 1 } });
    await service.publish("first", { dimensions: 2, rows: streamOf([rowOf(1)]) }).catch(() => undefined);
    await expect(service.publish("second", { dimensions: 2, rows: streamOf([rowOf(1)]) })).rejects.toMatchObject({ code: "SERVICE_QUOTA", message: expect.stringMatching(/maximum .*shards open/), fix: expect.stringContaining("twelve admin gc") });
    await server.ask("PUT", "/_cluster/settings", { transient: { "cluster.max_shards_per_node": null } });
    async function* full(): AsyncIterable<readonly VectorRow[]> {
      yield [rowOf(1)];
      await server.ask("PUT", "/twelve-vectors.second.*/_settings", { "index.blocks.read_only_allow_delete": true });
    }
    await expect(service.publish("second", { dimensions: 2, rows: full() })).rejects.toMatchObject({ code: "SERVICE_QUOTA", message: expect.stringContaining("read-only-allow-delete") });
    expect(await indexesOf("second")).toEqual([]);
    await service.drop("first");
    await service.close();
  });
});
