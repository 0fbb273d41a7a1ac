import { createServer } from "node:net";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openService } from "../../../src/adapters/vectors/pgvector/adapter.ts";
import type { VectorRow } from "../../../src/ports/vectors.ts";
import { type PostgresServer, startPostgres, withoutPgvector } from "../../helpers/postgres.ts";
import { describeVectorService } from "../../ports/vector-service.contract.ts";

function rowOf(i: number): VectorRow {
  return { id: `r${i}`, document: "d", headings: "", text: `Row number ${i}`, language: "en", metadata: {}, vector: Float32Array.of(1, i) };
}

async function* streamOf(...batches: readonly (readonly VectorRow[])[]): AsyncIterable<readonly VectorRow[]> {
  yield* batches;
}

describe.skipIf(withoutPgvector)("on a server with pgvector", () => {
  let server: PostgresServer;
  let url: string;
  beforeAll(async () => {
    server = await startPostgres({ vector: true, settings: "-c superuser_reserved_connections=0" });
    url = await server.createDatabase();
  }, 60_000);
  afterAll(() => server.stop());

  describeVectorService("pgvector", () => openService(url, "/"), { text: "equal" });

  const failureOf = async (reference: string): Promise<unknown> => {
    const service = await openService(reference, "/");
    try {
      return await service.check().catch((error: unknown) => error);
    } finally {
      await service.close();
    }
  };

  it("says its versions and what it holds", async () => {
    const service = await openService(await server.createDatabase(), "/");
    await service.publish("docs", { dimensions: 2, rows: streamOf([rowOf(1)]) });
    expect(await service.check()).toEqual({ version: expect.stringMatching(/^1\d/), detail: expect.stringMatching(/^pgvector 0\.\d+\.\d+, 1 published index$/) });
    await service.close();
  });

  it("shows no password where it says where it is, or what failed", async () => {
    const wrong = url.replace(/owner:[^@]+@/, "owner:wrong-secret@");
    const failure = await failureOf(wrong);
    expect(failure).toMatchObject({ code: "SERVICE_UNAUTHENTICATED" });
    expect((failure as Error).message).not.toContain("wrong-secret");
    expect((await openService(url, "/")).url).not.toContain("only-for-tests");
  });

  it("says which database there is not", async () => {
    expect(await failureOf(url.replace(/\/[^/]+$/, "/nowhere"))).toMatchObject({ code: "SERVICE_NOT_FOUND", message: expect.stringContaining("nowhere") });
  });

  it("says that nobody listens, and that it may help to ask again", async () => {
    expect(await failureOf("postgres://owner:x@127.0.0.1:1/test")).toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } });
  });

  it("says that what listens there breaks off", async () => {
    const other = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as { readonly port: number };
    expect(await failureOf(`postgres://owner:x@127.0.0.1:${port}/test`)).toMatchObject({ code: "SERVICE_CUT", retry: { afterMs: null } });
    other.close();
  });

  it("says how to get an extension that is missing and that the user may not create", async () => {
    await server.query("CREATE ROLE guest LOGIN PASSWORD 'guest'");
    const guest = (await server.createDatabase()).replace(/owner:[^@]+@/, "guest:guest@");
    const service = await openService(guest, "/");
    await expect(service.check()).rejects.toMatchObject({ code: "SERVICE_REJECTED", fix: expect.stringContaining("CREATE EXTENSION vector") });
    await expect(service.publish("docs", { dimensions: 2, rows: streamOf([rowOf(1)]) })).rejects.toMatchObject({ code: "SERVICE_DENIED", fix: expect.stringContaining("CREATE EXTENSION vector") });
    await service.close();
  });

  it("leaves nothing behind when its connection is killed in the middle, and goes on with the next call", async () => {
    const database = await server.createDatabase();
    const service = await openService(database, "/");
    const name = new URL(database).pathname.slice(1);
    async function* killed(): AsyncIterable<readonly VectorRow[]> {
      yield [rowOf(1)];
      await server.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
      yield [rowOf(2)];
    }
    // What the server says before it closes the connection does not always arrive.
    await expect(service.publish("docs", { dimensions: 2, rows: killed() })).rejects.toMatchObject({ code: expect.stringMatching(/^SERVICE_(?:CUT|UNAVAILABLE)$/), retry: { afterMs: null } });
    expect(await service.namespaces()).toEqual([]);
    await service.publish("docs", { dimensions: 2, rows: streamOf([rowOf(1), rowOf(2)]) });
    expect(await (await service.open("docs")).count()).toBe(2);
    await service.close();
  });

  it("gives up a statement that the server does not end in time", async () => {
    const database = await server.createDatabase();
    const service = await openService(`${database}?timeoutMs=100`, "/");
    await service.publish("docs", { dimensions: 2, rows: streamOf([rowOf(1)]) });
    const blocker = new Client({ connectionString: database });
    await blocker.connect();
    await blocker.query("BEGIN; LOCK TABLE twelve_vectors.namespaces");
    await expect(service.namespaces()).rejects.toMatchObject({ code: "SERVICE_TIMEOUT", retry: { afterMs: null } });
    await blocker.end();
    expect(await service.namespaces()).toEqual(["docs"]);
    await service.close();
  });

  it("says that the server is full", async () => {
    const database = await server.createDatabase();
    await server.query(`ALTER DATABASE ${new URL(database).pathname.slice(1)} CONNECTION LIMIT 0`);
    await server.query("CREATE ROLE crowd LOGIN PASSWORD 'crowd'");
    expect(await failureOf(database.replace(/owner:[^@]+@/, "crowd:crowd@"))).toMatchObject({ code: "SERVICE_UNAVAILABLE", message: expect.stringContaining("53300"), retry: { afterMs: null } });
  });

  it("finds nine in ten of the nearest by a graph, and as many as are asked for through a filter", async () => {
    const database = await server.createDatabase();
    const service = await openService(`${database}?index=hnsw`, "/");
    const random = (seed: number): number => Math.sin(seed * 12.9898) * 43_758.5453 % 1;
    const vectorOf = (i: number): Float32Array => Float32Array.from({ length: 32 }, (_, k) => random(i * 32 + k + 1));
    const many = Array.from({ length: 3000 }, (_, i): VectorRow => ({ ...rowOf(i), metadata: { part: String(i % 50) }, vector: vectorOf(i) }));
    await service.publish("graph", { dimensions: 32, rows: streamOf(many) });
    const exactly = await openService(database, "/");
    await exactly.publish("exact", { dimensions: 32, rows: streamOf(many) });
    const [graph, exact] = [await exactly.open("graph"), await exactly.open("exact")];
    let same = 0;
    for (let i = 0; i < 20; i += 1) {
      const question = { mode: "vector", text: "", vector: vectorOf(10_000 + i), topK: 10 } as const;
      const nearest = new Set((await exact.search(question)).map(({ id }) => id));
      same += (await graph.search(question)).filter(({ id }) => nearest.has(id)).length;
    }
    expect(same).toBeGreaterThanOrEqual(180);
    expect(await graph.search({ mode: "vector", text: "", vector: vectorOf(9999), topK: 10, filter: { part: ["7"] } })).toHaveLength(10);
    await service.close();
    await exactly.close();
  });

  it("refuses vectors longer than the extension can hold", async () => {
    const service = await openService(await server.createDatabase(), "/");
    await expect(service.publish("docs", { dimensions: 16_001, rows: streamOf() })).rejects.toMatchObject({ code: "SERVICE_REJECTED" });
    await service.close();
  });

  it("tells a reader of a namespace that was published anew to open it again", async () => {
    const service = await openService(await server.createDatabase(), "/");
    await service.publish("docs", { dimensions: 2, rows: streamOf([rowOf(1)]) });
    const old = await service.open("docs");
    await service.publish("docs", { dimensions: 2, rows: streamOf([rowOf(2)]) });
    await expect(old.count()).rejects.toMatchObject({ code: "INDEX_NOT_FOUND" });
    await service.close();
  });
});
