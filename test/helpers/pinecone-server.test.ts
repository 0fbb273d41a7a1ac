import { Errors, type Index, Pinecone, type PineconeRecord } from "@pinecone-database/pinecone";
import { describe, expect, it, onTestFinished } from "vitest";
import { createCommand } from "../../src/adapters/vectors/pinecone/failure.ts";
import { dense, type PineconeServer, sparse, startPinecone } from "./pinecone-server.ts";

/** The stand-in is worth as much as Pinecone's own client can make of it. */
const key = "pcsk_0123456789_abcdefghij";
const spec = { serverless: { cloud: "aws", region: "us-east-1" } } as const;

interface Started {
  readonly server: PineconeServer;
  readonly client: Pinecone;
  /** By its host: the client remembers for the whole process where an index of that name was. */
  readonly at: (name: string, namespace?: string) => Index;
}

async function started(options: { readonly staleReads?: number } = {}): Promise<Started> {
  const server = await startPinecone({ key, indexes: [dense("docs", 3), sparse("docs-text")], ...options });
  onTestFinished(() => server.close());
  const client = new Pinecone({ apiKey: key, controllerHostUrl: server.url, maxRetries: 0 });
  const hosts = new Map(await Promise.all(["docs", "docs-text"].map(async (name) => [name, (await client.describeIndex(name)).host] as const)));
  return { server, client, at: (name, namespace = "") => client.index({ host: hosts.get(name) ?? "", namespace }) };
}

describe("the stand-in for Pinecone, asked by Pinecone's client", () => {
  it("makes and describes indexes, as our messages say that they are made", async () => {
    const { server, client } = await started();
    await client.createIndex({ name: "new", dimension: 8, metric: "cosine", spec });
    await client.createIndex({ name: "new-text", vectorType: "sparse", metric: "dotproduct", spec });
    const sent = server.requests.filter(({ method }) => method === "POST").map(({ body }) => body as Record<string, unknown>);
    for (const [i, command] of [createCommand({ base: server.url }, "new", 8), createCommand({ base: server.url }, "new-text", "words")].entries()) {
      expect(sent[i]).toMatchObject(JSON.parse(/-d '(.*)'$/.exec(command)?.[1] ?? ""));
      expect(command).toContain(`curl ${server.url}/indexes `);
    }
    expect(await client.describeIndex("new")).toMatchObject({ name: "new", dimension: 8, metric: "cosine", vectorType: "dense", host: `${server.url}/hosts/new`, status: { ready: true, state: "Ready" }, spec });
    expect(await client.describeIndex("new-text")).toMatchObject({ metric: "dotproduct", vectorType: "sparse", dimension: undefined });
    await expect(client.createIndex({ name: "new", dimension: 8, metric: "cosine", spec })).rejects.toBeInstanceOf(Errors.PineconeConflictError);
    expect(server.requests[0]?.headers).toMatchObject({ "api-key": key, "x-pinecone-api-version": "2026-04" });
  });

  it("keeps and finds dense vectors", async () => {
    const { at } = await started();
    const index = at("docs", "a.1");
    await index.upsert({ records: [{ id: "x", values: [1, 0, 0], metadata: { labels: ["team\u001fpost", "page\u001f1"], content: "X" } }, { id: "y", values: [0.6, 0.8, 0], metadata: { labels: ["team\u001fshop"], content: "Y" } }] });
    const asked = { vector: [2, 0, 0], topK: 5, includeMetadata: true, includeValues: true };
    const { matches, namespace, usage } = await index.query(asked);
    expect(matches).toEqual([
      { id: "x", score: 1, values: [1, 0, 0], metadata: { labels: ["team\u001fpost", "page\u001f1"], content: "X" } },
      { id: "y", score: Math.fround(0.6), values: [Math.fround(0.6), Math.fround(0.8), 0], metadata: { labels: ["team\u001fshop"], content: "Y" } },
    ]);
    expect([namespace, usage?.readUnits]).toEqual(["a.1", 1]);
    const filtered = await index.query({ ...asked, filter: { $and: [{ labels: { $in: ["team\u001fshop", "none"] } }, { content: { $eq: "Y" } }] } });
    expect(filtered.matches.map(({ id }) => id)).toEqual(["y"]);
    expect((await index.fetch({ ids: ["y", "absent"] })).records).toMatchObject({ y: { id: "y", values: [Math.fround(0.6), Math.fround(0.8), 0] } });
    expect(await index.describeIndexStats()).toMatchObject({ dimension: 3, namespaces: { "a.1": { recordCount: 2 } }, totalRecordCount: 2 });
    expect((await at("docs", "nowhere").query(asked)).matches).toEqual([]);
  });

  it("keeps and finds sparse vectors, and matches nothing that shares no term", async () => {
    const { at } = await started();
    const index = at("docs-text", "a.1");
    await index.upsert({ records: [{ id: "x", sparseValues: { indices: [7, 4_294_967_295], values: [0.5, 2] } }, { id: "y", sparseValues: { indices: [8], values: [1] } }] });
    expect((await index.query({ sparseVector: { indices: [4_294_967_295, 1], values: [2, 1] }, topK: 5 } as unknown as Parameters<typeof index.query>[0])).matches).toEqual([{ id: "x", score: 4, values: [] }]);
  });

  it("lists IDs page by page, and deletes", async () => {
    const { at } = await started();
    const index = at("docs", "a.1");
    await index.upsert({ records: Array.from({ length: 5 }, (_, i) => ({ id: `${i % 2}.${i}`, values: [1, i, 0] })) });
    const first = await index.listPaginated({ prefix: "0.", limit: 2 });
    expect(first.vectors?.map(({ id }) => id)).toEqual(["0.0", "0.2"]);
    const second = await index.listPaginated({ prefix: "0.", limit: 2, paginationToken: first.pagination?.next ?? "" });
    expect([second.vectors?.map(({ id }) => id), second.pagination]).toEqual([["0.4"], undefined]);
    await index.deleteMany({ ids: ["0.0", "1.1"] });
    expect((await index.listPaginated()).vectors).toHaveLength(3);
  });

  it("makes, describes, lists and deletes namespaces", async () => {
    const { at } = await started();
    const index = at("docs");
    const schema = { fields: { labels: { filterable: true } } };
    expect(await index.createNamespace({ name: "a.1", schema })).toMatchObject({ name: "a.1", recordCount: "0", schema });
    await at("docs", "a.1").upsert({ records: [{ id: "x", values: [1, 0, 0], metadata: { labels: ["l"], content: "X" } }] });
    await index.createNamespace({ name: "b.1" });
    expect(await index.listNamespaces({ prefix: "a." })).toMatchObject({ namespaces: [{ name: "a.1", recordCount: "1" }], totalCount: 1 });
    expect((await index.listNamespaces({ limit: 1 })).pagination?.next).toMatch(/./);
    const unindexed = await at("docs", "a.1").query({ vector: [1, 0, 0], topK: 1, filter: { content: { $eq: "X" } } });
    expect(unindexed.matches).toEqual([]);
    await index.deleteNamespace("a.1");
    await expect(index.describeNamespace("a.1")).rejects.toBeInstanceOf(Errors.PineconeNotFoundError);
    await expect(index.deleteNamespace("a.1")).rejects.toBeInstanceOf(Errors.PineconeNotFoundError);
  });

  it("shows a write only after as many answers as it is told", async () => {
    const { at } = await started({ staleReads: 2 });
    const index = at("docs", "a.1");
    await index.upsert({ records: [{ id: "x", values: [1, 0, 0] }] });
    const counts = [];
    for (let i = 0; i < 4; i += 1) counts.push((await index.query({ vector: [1, 0, 0], topK: 1 })).matches.length);
    expect(counts).toEqual([0, 0, 1, 1]);
  });

  it.each([
    ["a vector of zeros", { id: "x", values: [0, 0, 0] }, "Vector ID 'x' contains only zeros"],
    ["other dimensions", { id: "x", values: [1, 0] }, "Vector dimension 2 does not match the dimension of the index 3"],
    ["metadata that is nested", { id: "x", values: [1, 0, 0], metadata: { a: { b: 1 } } }, "list of strings"],
    ["metadata that is null", { id: "x", values: [1, 0, 0], metadata: { a: null } }, "list of strings"],
    ["large metadata", { id: "x", values: [1, 0, 0], metadata: { a: "x".repeat(41_000) } }, "exceeds the limit of 40960 bytes"],
  ])("refuses %s", async (_, record, message) => {
    const { at } = await started();
    const refused = at("docs").upsert({ records: [record as PineconeRecord] });
    await expect(refused).rejects.toMatchObject({ constructor: Errors.PineconeBadRequestError, message: expect.stringContaining(message) });
  });

  it("refuses too many records, sparse values that are none, and a wrong key", async () => {
    const { server, client, at } = await started();
    const index = at("docs");
    await expect(index.upsert({ records: Array.from({ length: 1001 }, (_, i) => ({ id: String(i), values: [1, 0, 0] })) })).rejects.toBeInstanceOf(Errors.PineconeBadRequestError);
    await expect(at("docs-text").upsert({ records: [{ id: "x", sparseValues: { indices: [1, 1], values: [1, 1] } }] })).rejects.toThrow("duplicate indices");
    await expect(client.describeIndex("absent")).rejects.toBeInstanceOf(Errors.PineconeNotFoundError);
    const stranger = new Pinecone({ apiKey: "pcsk_wrong", controllerHostUrl: server.url, maxRetries: 0 });
    await expect(stranger.describeIndex("docs")).rejects.toMatchObject({ constructor: Errors.PineconeAuthorizationError });
    await expect(stranger.index({ host: `${server.url}/hosts/docs` }).describeIndexStats()).rejects.toMatchObject({ constructor: Errors.PineconeAuthorizationError });
  });
});
