import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { openVectorService } from "../../../src/adapters/registry.ts";
import { openService } from "../../../src/adapters/vectors/pinecone/adapter.ts";
import { originOf } from "../../../src/adapters/vectors/pinecone/connection.ts";
import type { TwelveError } from "../../../src/core/errors.ts";
import type { VectorIndex, VectorRow, VectorService } from "../../../src/ports/vectors.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { dense, type PineconeServer, sparse, startPinecone } from "../../helpers/pinecone-server.ts";
import type { Fault, Reply } from "../../helpers/service-server.ts";
import { describeVectorService } from "../../ports/vector-service.contract.ts";

const key = "pcsk_0123456789_abcdefghij";
const noWait = async (): Promise<void> => {};

function open({ url }: Pick<PineconeServer, "url">, dir: string, reference = "pinecone://docs"): VectorService {
  return openService(reference, { dir, env: { PINECONE_API_KEY: key, PINECONE_BASE_URL: url } }, noWait);
}

describe.each([{}, { staleReads: 3 }, { staleReads: 3, countsEarly: true }])("where Pinecone shows late what was written: %j", (freshness) => {
  let server: PineconeServer;
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "twelve-test-"));
    server = await startPinecone({ key, ...freshness, indexes: [dense("docs", 16), sparse("docs-text")] });
  });
  afterAll(async () => {
    await server.close();
    await rm(dir, { recursive: true });
  });
  describeVectorService("pinecone", () => open(server, dir), { text: "equal" });
});

function rowOf(id: string, rest: Partial<VectorRow> = {}): VectorRow {
  return { id, document: `docs/${id}.md`, headings: "", text: `Row ${id}`, language: "en", metadata: {}, vector: Float32Array.of(1, 2), ...rest };
}

async function* streamOf(...batches: readonly (readonly VectorRow[])[]): AsyncIterable<readonly VectorRow[]> {
  yield* batches;
}

const both = [dense("docs", 4), sparse("docs-text")];

interface Started {
  readonly server: PineconeServer;
  readonly dir: string;
  readonly service: VectorService;
}

async function started({ reference, ...options }: Partial<Parameters<typeof startPinecone>[0]> & { readonly reference?: string } = {}): Promise<Started> {
  const server = await startPinecone({ key, indexes: both, ...options });
  onTestFinished(() => server.close());
  const dir = await temporaryFolder();
  return { server, dir, service: open(server, dir, reference) };
}

async function idsOf(index: VectorIndex): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const id of index.ids()) ids.push(id);
  return ids.sort();
}

const near = { mode: "vector", text: "", vector: Float32Array.of(1, 2), topK: 3 } as const;

describe("pinecone", () => {
  it("says what it holds", async () => {
    const { service } = await started();
    await service.publish("docs-1", { dimensions: 2, rows: streamOf([rowOf("a")]) });
    expect(await service.check()).toEqual({ version: null, detail: "index docs, 4 dimensions, words in docs-text, 1 published index" });
  });

  it.each([
    ["pinecone:docs", "pinecone://docs"],
    ["pinecone://docs/?timeoutMs=500&waitMs=1000", "pinecone://docs"],
    ["pinecone://docs?text=words-of-docs", "pinecone://docs?text=words-of-docs"],
  ])("is the same place as %s whatever its patience", async (reference, url) => {
    expect((await openVectorService(reference, { dir: "/", env: {} })).url).toBe(url);
  });

  it.each(["pinecone:", "pinecone://Docs", "pinecone://docs.example", "pinecone://docs?text=docs", "pinecone://docs?text=A", "pinecone://docs?metric=cosine", "pinecone://docs?waitMs=0", `pinecone://${"n".repeat(46)}`])("refuses %s", async (reference) => {
    await expect(openVectorService(reference, { dir: "/", env: {} })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED" });
  });

  it("refuses a key in the URL, and shows it nowhere", async () => {
    const refused = openVectorService(`pinecone://user:${key}@docs`, { dir: "/", env: {} });
    await expect(refused).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.not.stringContaining(key), fix: expect.stringContaining("PINECONE_API_KEY") });
  });

  it("names the key that is missing, without asking", async () => {
    const service = await openVectorService("pinecone://docs", { dir: "/", env: {} });
    await expect(service.namespaces()).rejects.toMatchObject({ code: "SERVICE_UNAUTHENTICATED", message: "pinecone://docs needs a key, and PINECONE_API_KEY is not set" });
  });

  it("makes no index, and says how to make one", async () => {
    const { server, service } = await started({ indexes: [] });
    const publish = (): Promise<unknown> => service.publish("one", { dimensions: 2, rows: streamOf([rowOf("a")]) }).then(() => undefined, (error: unknown) => error);
    for (const expected of [{ name: "docs", dimension: 2, metric: "cosine" }, { name: "docs-text", vector_type: "sparse", metric: "dotproduct" }]) {
      const failure = await publish();
      expect(failure).toMatchObject({ code: "SERVICE_NOT_FOUND", message: `pinecone://${expected.name} answered 404: Resource ${expected.name} not found` });
      const [, body = ""] = / -d '(.*)'$/.exec((failure as TwelveError).fix) ?? [];
      expect(JSON.parse(body)).toEqual({ ...expected, spec: { serverless: { cloud: "aws", region: "us-east-1" } } });
      expect((failure as TwelveError).fix).not.toContain(key);
      await fetch(`${server.url}/indexes`, { method: "POST", body, headers: { "api-key": key } });
    }
    expect(await publish()).toBeUndefined();
    expect(await service.namespaces()).toEqual(["one"]);
  });

  it.each([
    ["of another metric", [{ ...dense("docs", 4), metric: "dotproduct" }, sparse("docs-text")], "pinecone://docs is dense with the metric dotproduct, and vectors need a dense index with the metric cosine", '"metric":"cosine"'],
    ["for other vectors", [sparse("docs"), sparse("docs-text")], "is sparse with the metric dotproduct", '"dimension":2'],
    ["with too few dimensions", [dense("docs", 1), sparse("docs-text")], "pinecone://docs holds vectors of 1 dimensions, and these have 2", '"dimension":2'],
    ["for words that is dense", [dense("docs", 4), dense("docs-text", 4)], "pinecone://docs-text is dense, and words need a sparse index", '"vector_type":"sparse"'],
    ["made of pods", [{ ...dense("docs", 4), spec: { pod: { environment: "e", pod_type: "p1.x1" } } }, sparse("docs-text")], "is made of pods", '"serverless"'],
  ] as const)("refuses an index %s", async (_, indexes, message, fix) => {
    const { service } = await started({ indexes });
    const publishing = service.publish("one", { dimensions: 2, rows: streamOf([rowOf("a")]) });
    await expect(publishing).rejects.toMatchObject({ code: "SERVICE_REJECTED", message: expect.stringContaining(message), fix: expect.stringContaining(fix) });
  });

  it("waits for no index that is not ready", async () => {
    const { service } = await started({ indexes: [{ ...dense("docs", 4), state: "Initializing" }, sparse("docs-text")] });
    await expect(service.check()).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE", message: "pinecone://docs is not ready: Pinecone says Initializing", retry: { afterMs: null } });
  });

  it.each([
    ["docs-abc1234.svc.aped-4627-b74a.pinecone.io", "https://docs-abc1234.svc.aped-4627-b74a.pinecone.io"],
    ["localhost.example.com", "https://localhost.example.com"],
    ["localhost:5081", "http://localhost:5081"],
    ["127.0.0.1:5081", "http://127.0.0.1:5081"],
    ["http://gateway/docs", "http://gateway/docs"],
  ])("speaks to the host %s as %s: in the clear only on this machine, or where it is told to", (host, origin) => {
    expect(originOf(host)).toBe(origin);
  });

  it("finds a chunk without a direction by its words only, and gives back its zeros", async () => {
    const { service } = await started();
    const rows = [rowOf("zero", { vector: Float32Array.of(0, 0) }), rowOf("a", { vector: Float32Array.of(-1, 0), text: "🙂" })];
    await service.publish("one", { dimensions: 2, rows: streamOf(rows) });
    const index = await service.open("one");
    expect((await index.search({ ...near, vector: Float32Array.of(1, 0) })).map(({ id }) => id)).toEqual(["a"]);
    expect((await index.search({ ...near, mode: "text", text: "row" })).map(({ id }) => id)).toEqual(["zero"]);
    const found: VectorRow[] = [];
    for await (const group of index.rows()) found.push(...group);
    expect(found.toSorted((left, right) => (left.id < right.id ? 1 : -1))).toEqual(rows);
  });

  it("names a chunk for which Pinecone has no room, before anything can be seen", async () => {
    const { service } = await started();
    const large = service.publish("one", { dimensions: 2, rows: streamOf([rowOf("a"), rowOf("big", { text: "x".repeat(41_000) })]) });
    await expect(large).rejects.toMatchObject({ code: "SERVICE_REJECTED", message: expect.stringMatching(/^Chunk big of docs\/big\.md takes 41\d\d\d bytes .* at most 40960/), fix: expect.stringContaining("maxTokens") });
    const words = Array.from({ length: 2049 }, (_, i) => `w${i}`).join(" ");
    const wordy = service.publish("one", { dimensions: 2, rows: streamOf([rowOf("wordy", { text: words })]) });
    await expect(wordy).rejects.toMatchObject({ code: "SERVICE_REJECTED", message: "Chunk wordy says 2049 different words, and Pinecone takes at most 2048 of one chunk" });
    expect(await service.namespaces()).toEqual([]);
  });

  it("asks for no answer that is larger than Pinecone gives", async () => {
    const { server, service } = await started();
    const rows = Array.from({ length: 150 }, (_, i) => rowOf(`r${String(i).padStart(3, "0")}`, { text: `same ${"word ".repeat(7000)}`, vector: Float32Array.of(1, i) }));
    await service.publish("one", { dimensions: 2, rows: streamOf(rows) });
    const index = await service.open("one");
    for (const mode of ["vector", "text"] as const) {
      const hits = await index.search({ ...near, mode, text: "word", vector: Float32Array.of(1, 0), topK: 120 });
      expect(hits.map(({ id }) => id)).toEqual(rows.slice(0, 120).map(({ id }) => id));
      expect(hits[119]?.text).toBe(rows[119]?.text);
    }
    expect(server.requests.filter(({ path }) => path.includes("/vectors/upsert")).length).toBeLessThan(20);
  });

  it("writes many rows in few requests, each as large as Pinecone takes them", async () => {
    const { server, service } = await started();
    const rows = Array.from({ length: 2500 }, (_, i) => rowOf(`r${i}`));
    await service.publish("one", { dimensions: 2, rows: streamOf(...rows.map((row) => [row])) });
    const sizes = server.requests.filter(({ path }) => path.includes("/vectors/upsert")).map(({ body }) => (body as { vectors: unknown[] }).vectors.length);
    expect(sizes.toSorted((left, right) => right - left)).toEqual([1000, 1000, 1000, 1000, 500, 500, 1]);
  });

  it("lets Pinecone index only what is filtered by, and manages where namespaces cannot be made", async () => {
    const { server, service } = await started();
    await service.publish("one", { dimensions: 2, rows: streamOf([rowOf("a")]) });
    expect(server.requests.filter(({ method, path }) => method === "POST" && path.endsWith("/namespaces")).map(({ body }) => body)).toMatchObject([0, 1].map(() => ({ schema: { fields: { labels: { filterable: true }, hasDirection: { filterable: true } } } })));
    const without = await started({ instead: ({ method, path }) => (method === "POST" && path.endsWith("/namespaces") ? { status: 404, body: { code: 5, message: "Not Found", details: [] } } : undefined) });
    await without.service.publish("one", { dimensions: 2, rows: streamOf([rowOf("a")]) });
    expect(await idsOf(await without.service.open("one"))).toEqual(["a"]);
  });

  it("tells a reader of a namespace that was published anew, or dropped, to open it again", async () => {
    const { service } = await started();
    await service.publish("one", { dimensions: 2, rows: streamOf([rowOf("a")]) });
    const old = await service.open("one");
    await service.publish("one", { dimensions: 2, rows: streamOf([rowOf("b")]) });
    const failure = { code: "INDEX_NOT_FOUND", fix: expect.stringContaining("open it again") };
    await expect(old.count()).rejects.toMatchObject(failure);
    await expect(old.search(near)).rejects.toMatchObject(failure);
    await expect(old.search({ ...near, mode: "text", text: "row" })).rejects.toMatchObject(failure);
    await expect(idsOf(old)).rejects.toMatchObject(failure);
    const current = await service.open("one");
    await service.drop("one");
    await expect(current.search(near)).rejects.toMatchObject(failure);
  });

  it("clears away what a killed process left, and touches nothing else in the index", async () => {
    const { server, dir, service } = await started();
    server.indexes.get("docs")?.upsert("one.notours", [{ id: "x", values: [1, 0, 0, 0] }]);
    server.indexes.get("docs")?.upsert("one-more.0123abcd", [{ id: "x", values: [1, 0, 0, 0] }]);
    const stopped = Promise.withResolvers<never>();
    async function* stopping(): AsyncIterable<readonly VectorRow[]> {
      yield Array.from({ length: 1500 }, (_, i) => rowOf(`r${i}`));
      await stopped.promise;
    }
    const killed = service.publish("one", { dimensions: 2, rows: stopping() });
    await vi.waitFor(() => expect(server.requests.some(({ path }) => path.includes("/vectors/upsert"))).toBe(true));
    const other = open(server, dir);
    expect(await other.namespaces()).toEqual([]);
    await expect(other.open("one")).rejects.toMatchObject({ code: "INDEX_NOT_FOUND" });
    await other.publish("one", { dimensions: 2, rows: streamOf([rowOf("a")]) });
    expect(await idsOf(await other.open("one"))).toEqual(["a"]);
    expect([...(server.indexes.get("docs")?.spaces.keys() ?? [])].sort()).toEqual(["one-more.0123abcd", expect.stringMatching(/^one\.[0-9a-f]{8}$/), "one.notours"]);
    await other.drop("one");
    expect([...(server.indexes.get("docs")?.spaces.keys() ?? [])].sort()).toEqual(["one-more.0123abcd", "one.notours"]);
    expect([...(server.indexes.get("docs-text")?.spaces.keys() ?? [])]).toEqual(["twelve-published/docs"]);
    stopped.reject(new RangeError("killed"));
    await expect(killed).rejects.toThrow(new RangeError("killed"));
  });
});

describe("pinecone when things go wrong", () => {
  const dataError = (status: number, message: string, headers: Readonly<Record<string, string>> = {}): Reply => ({ status, headers: { "x-pinecone-request-id": "4711", ...headers }, body: { code: 8, message, details: [] } });

  it.each([
    ["a rate limit that says how long", dataError(429, "Too many requests", { "retry-after": "3" }), { code: "SERVICE_LIMITED", message: "pinecone://docs answered 429: Too many requests (request 4711)", retry: { afterMs: 3000 } }],
    ["a rate limit that does not", dataError(429, "Too many requests"), { code: "SERVICE_LIMITED", retry: { afterMs: null } }],
    ["the end of the month's units", dataError(429, "Request failed. You've reached your read unit limit for the current month. To continue reading data, upgrade your plan."), { code: "SERVICE_QUOTA", retry: undefined, fix: expect.stringContaining("plan at Pinecone") }],
    ["a quota", { status: 403, body: { error: { code: "QUOTA_EXCEEDED", message: "Reached the namespace quota" }, status: 403 } }, { code: "SERVICE_QUOTA", retry: undefined }],
    ["a bill that is not paid", dataError(402, "Payment required"), { code: "SERVICE_QUOTA", retry: undefined }],
    ["a permission that is missing", dataError(403, "Forbidden"), { code: "SERVICE_DENIED", fix: expect.stringContaining("records of pinecone://docs") }],
    ["a wrong key", { status: 401, send: (response) => void response.writeHead(401).end("Unauthorized") }, { code: "SERVICE_UNAUTHENTICATED", message: "pinecone://docs answered 401: Unauthorized", fix: expect.stringContaining("PINECONE_API_KEY") }],
    ["a request that it finds wrong", dataError(400, "Vector dimension 4 does not match the dimension of the index 8"), { code: "SERVICE_REJECTED", message: expect.stringContaining("dimension of the index 8") }],
    ["an error of Pinecone's", dataError(500, "Internal"), { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
    ["a connection that breaks before the answer", "reset", { retry: { afterMs: null } }],
    ["an answer that breaks off", "cut", { code: "SERVICE_CUT", retry: { afterMs: null } }],
    ["a page", "garbage", { code: "SERVICE_FAILED", retry: undefined }],
    ["an answer of another kind", { body: { matches: [{ score: "high" }] } }, { code: "SERVICE_FAILED", message: "pinecone://docs answered /query with something else than Pinecone does" }],
  ] as const satisfies readonly (readonly [string, Fault, object])[])("understands %s", async (_, fault, failure) => {
    const { server, service } = await started();
    await service.publish("one", { dimensions: 2, rows: streamOf([rowOf("a")]) });
    const index = await service.open("one");
    server.faults.push(fault);
    await expect(index.search(near)).rejects.toMatchObject(failure);
    expect(await index.search(near)).toHaveLength(1);
  });

  it("says of a wrong key that it is no good, and does not show it", async () => {
    const { server } = await started();
    const wrong = openService("pinecone://docs", { dir: "/", env: { PINECONE_API_KEY: "pcsk_wrong_0123456789", PINECONE_BASE_URL: server.url } });
    await expect(wrong.check()).rejects.toMatchObject({ code: "SERVICE_UNAUTHENTICATED", message: "pinecone://docs answered 401: Invalid API key" });
  });

  it("says that nobody listens, and asks again when somebody does", async () => {
    const { server, dir } = await started();
    const service = open({ url: "http://127.0.0.1:1" }, dir);
    await expect(service.namespaces()).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } });
    const other = open(server, dir);
    server.faults.push("reset", "reset");
    await expect(other.namespaces()).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
    expect(await other.namespaces()).toEqual([]);
  });

  it("gives up in time, and when it is told to", async () => {
    const { server, service } = await started({ reference: "pinecone://docs?timeoutMs=100" });
    server.faults.push("hang", "hang");
    await expect(service.check()).rejects.toMatchObject({ code: "SERVICE_TIMEOUT", message: expect.stringContaining("within 100 ms") });
    const aborted = AbortSignal.abort(new RangeError("enough"));
    await expect(service.check(aborted)).rejects.toThrow(new RangeError("enough"));
  });

  it("repeats what it writes while that can help, as late as it is asked to", async () => {
    const refusals = [dataError(429, "Slow down", { "retry-after": "7" }), dataError(503, "Unavailable"), dataError(500, "Internal")];
    const { server, dir } = await started({ instead: ({ path }) => (path.includes("/vectors/upsert") ? refusals.shift() : undefined) });
    const waits: number[] = [];
    const service = openService("pinecone://docs", { dir, env: { PINECONE_API_KEY: key, PINECONE_BASE_URL: server.url } }, async (ms) => void waits.push(ms));
    await service.publish("one", { dimensions: 2, rows: streamOf(Array.from({ length: 1200 }, (_, i) => rowOf(`r${i}`))) });
    expect(waits.filter((ms) => ms >= 7000)).toHaveLength(1);
    expect(refusals).toEqual([]);
    expect(await (await service.open("one")).count()).toBe(1200);
  });

  it("shows nothing of what Pinecone refuses in the middle, and begins anew afterwards", async () => {
    let taken = 0;
    const { service } = await started({ instead: ({ path }) => (path.includes("docs-text/vectors/upsert") && (taken += 1) === 1 ? dataError(400, "No room") : undefined) });
    const rows = Array.from({ length: 5000 }, (_, i) => rowOf(`r${i}`));
    await expect(service.publish("one", { dimensions: 2, rows: streamOf(rows) })).rejects.toMatchObject({ code: "SERVICE_REJECTED", message: expect.stringContaining("No room") });
    expect(await service.namespaces()).toEqual([]);
    await service.publish("one", { dimensions: 2, rows: streamOf(rows.slice(0, 3)) });
    expect(await idsOf(await service.open("one"))).toEqual(["r0", "r1", "r2"]);
  });

  it("ends with a source that fails, once nothing is under way any more, and tries nothing again for it", async () => {
    const [gate, arrived, thrown] = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let asked = 0;
    const { dir, service } = await started({
      async instead({ path }) {
        if (!path.includes("/vectors/upsert")) return undefined;
        asked += 1;
        arrived.resolve();
        await gate.promise;
        return dataError(429, "Slow down", { "retry-after": "200" });
      },
    });
    async function* failing(): AsyncIterable<readonly VectorRow[]> {
      yield Array.from({ length: 1500 }, (_, i) => rowOf(`r${i}`));
      await arrived.promise;
      thrown.resolve();
      throw new RangeError("the source went away");
    }
    let isOver = false;
    const publishing = service.publish("one", { dimensions: 2, rows: failing() }).finally(() => (isOver = true));
    publishing.catch(() => {});
    await thrown.promise;
    // Enough turns for the end to come, were it not waited for what is under way.
    for (let i = 0; i < 200; i += 1) expect(await readdir(join(dir, ".twelve", "work"))).toHaveLength(1);
    expect(isOver).toBe(false);
    gate.resolve();
    await expect(publishing).rejects.toThrow(new RangeError("the source went away"));
    expect(asked).toBe(1);
  });

  it("drops a mark that Pinecone does not show yet", async () => {
    const { server, dir, service } = await started({ staleReads: 4 });
    const hasty = openService("pinecone://docs?waitMs=1", { dir, env: { PINECONE_API_KEY: key, PINECONE_BASE_URL: server.url } }, async () => new Promise((resolve) => setTimeout(resolve, 2)));
    await expect(hasty.publish("one", { dimensions: 2, rows: streamOf() })).rejects.toMatchObject({ code: "SERVICE_TIMEOUT", message: expect.stringContaining("that one is complete") });
    await service.drop("one");
    const listed = [];
    for (let i = 0; i < 10; i += 1) listed.push((await service.namespaces()).length);
    expect(listed.slice(-3)).toEqual([0, 0, 0]);
  });

  it("repeats what reads everything, but no search", async () => {
    const { server, service } = await started();
    await service.publish("one", { dimensions: 2, rows: streamOf([rowOf("a")]) });
    const index = await service.open("one");
    server.faults.push(dataError(503, "Unavailable"), "reset");
    expect(await idsOf(index)).toEqual(["a"]);
    server.faults.push(dataError(503, "Unavailable"));
    await expect(index.search(near)).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
  });

  it("does not wait for ever until Pinecone shows what was written", async () => {
    const { server, dir } = await started({ staleReads: Number.POSITIVE_INFINITY });
    const service = openService("pinecone://docs?waitMs=30", { dir, env: { PINECONE_API_KEY: key, PINECONE_BASE_URL: server.url } });
    const publishing = service.publish("one", { dimensions: 2, rows: streamOf([rowOf("a")]) });
    await expect(publishing).rejects.toMatchObject({ code: "SERVICE_TIMEOUT", message: expect.stringMatching(/^Pinecone has not shown all 1 records of one\.[0-9a-f]{8} within 30 ms of writing it$/), fix: expect.stringContaining("waitMs") });
    expect(await service.namespaces()).toEqual([]);
    expect(await readdir(join(dir, ".twelve", "work"))).toEqual([]);
  });
});
