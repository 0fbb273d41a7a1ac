import { chmod, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openVectorService } from "../../../src/adapters/registry.ts";
import { openVectors as openScanning } from "../../../src/adapters/vectors/lance/adapter.ts";
import { folderFailure } from "../../../src/adapters/vectors/lance/folder-failure.ts";
import type { VectorIndex, VectorQuery, VectorRow, VectorService } from "../../../src/ports/vectors.ts";
import { rows } from "../../ports/vector-index.contract.ts";
import { describeVectorService } from "../../ports/vector-service.contract.ts";

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "twelve-test-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describeVectorService("lance in a shared folder", () => openVectorService("lance:shared", { dir, env: {} }), { text: "equal" });

describe("lance in a shared folder", () => {
  it("takes no place that is none", async () => {
    await expect(openVectorService("lance:", { dir, env: {} })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", fix: expect.stringContaining("lance:/mnt/vectors") });
  });

  it("gives the same nearest as an engine that reads all vectors where its own stand in several partitions", async () => {
    const many = Array.from({ length: 5000 }, (_, i): VectorRow => ({ id: `c${i}`, document: "d", headings: "", text: `t${i}`, language: null, metadata: { rest: i % 50 }, vector: Float32Array.from({ length: 32 }, (__, j) => Math.sin((i + 1) * 12.9898 + j * 78.233) * 43758.5453 % 1) }));
    async function* rows(): AsyncIterable<readonly VectorRow[]> {
      yield many;
    }
    const service = await openVectorService("lance:several", { dir, env: {} });
    await service.publish("many", { dimensions: 32, rows: rows() });
    const engine = openScanning({ scannedRows: many.length });
    const folder = await mkdtemp(join(dir, "embedded-"));
    await engine.write(folder, { dimensions: 32, rows: rows() });
    const [published, embedded] = [await service.open("many"), await engine.open(folder)];
    for (const filter of [{}, { rest: ["7", "8"] }]) {
      for (const i of [3, 1234, 4999]) {
        const question = { mode: "vector", text: "", vector: many[i]?.vector ?? new Float32Array(32), topK: 10, filter } as const;
        const ids = async (index: typeof published): Promise<readonly string[]> => (await index.search(question)).map(({ id }) => id);
        expect(await ids(published)).toEqual(await ids(embedded));
      }
    }
  });

  it("says which folder cannot be used", async () => {
    await writeFile(join(dir, "file"), "no folder");
    const service = await openVectorService("lance:file/below", { dir, env: {} });
    const failure = { code: "FOLDER_UNUSABLE", message: expect.stringContaining(join(dir, "file/below")), fix: expect.any(String) };
    await expect(service.check()).rejects.toMatchObject(failure);
    await expect(service.publish("docs", { dimensions: 4, rows: (async function* () {})() })).rejects.toMatchObject(failure);
  });

  it("takes files beside the indexes for none", async () => {
    await mkdir(join(dir, "beside"));
    await writeFile(join(dir, "beside/readme.txt"), "not an index");
    expect(await (await openVectorService("lance:beside", { dir, env: {} })).namespaces()).toEqual([]);
  });

  it("is one place, however patient", async () => {
    expect((await openVectorService("lance:shared?timeoutMs=1000", { dir, env: {} })).url).toBe("lance:shared");
    await expect(openVectorService("lance:shared?wait=1", { dir, env: {} })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringContaining("wait") });
  });
});

describe("lance in a shared folder in trouble", () => {
  const byVector: VectorQuery = { mode: "vector", text: "", vector: Float32Array.of(1, 0, 0, 0), topK: 1 };
  const byWords: VectorQuery = { mode: "text", text: "refunds", topK: 1 };

  async function publish(name: string): Promise<{ readonly service: VectorService; readonly index: VectorIndex; readonly folder: string }> {
    const service = await openVectorService(`lance:${name}`, { dir, env: {} });
    await service.publish("docs", { dimensions: 4, rows: (async function* () {
      yield rows;
    })() });
    return { service, index: await service.open("docs"), folder: join(dir, name, "docs") };
  }

  it.skipIf(process.platform === "win32")("says that rights are missing, and which", async () => {
    const { service, index, folder } = await publish("locked");
    await chmod(dir, 0o777);
    await mkdir(join(dir, ".twelve/work"), { recursive: true });
    for (const each of [".twelve", ".twelve/work"]) await chmod(join(dir, each), 0o777);
    await chmod(join(folder, "chunks.lance/data"), 0o000);
    await chmod(join(folder, "chunks.lance/_indices"), 0o000);
    const failure = { code: "SERVICE_DENIED", retry: undefined, fix: expect.stringContaining("Let the user") };
    await withoutPrivileges(async () => {
      await expect(index.search(byWords)).rejects.toMatchObject({ ...failure, message: expect.stringMatching(/lance:locked\/docs .*permission denied/i) });
      await expect(service.publish("more", { dimensions: 4, rows: (async function* () {})() })).rejects.toMatchObject(failure);
    });
    await chmod(join(dir, "locked"), 0o000);
    await withoutPrivileges(async () => {
      for (const operation of [() => service.check(), () => service.namespaces(), () => service.open("docs")]) {
        await expect(operation()).rejects.toMatchObject({ ...failure, message: expect.stringMatching(/permission denied \(EACCES\)$/) });
      }
    });
    for (const each of ["locked", "locked/docs/chunks.lance/data", "locked/docs/chunks.lance/_indices"]) await chmod(join(dir, each), 0o755);
    expect((await index.search(byVector)).map(({ id }) => id)).toEqual(["a"]);
  });

  it("tells a damaged file of an index", async () => {
    const { service, folder } = await publish("damaged");
    const damage = { code: "SERVICE_FAILED", retry: undefined, message: expect.stringMatching(/LanceDB [\d.]+ cannot read lance:damaged\/docs; a file of the index may be damaged \(.+\)/), fix: expect.stringContaining("publish --again") };
    const [data = ""] = await filesIn(join(folder, "chunks.lance/data"));
    for (const bad of ["", "<html>".repeat(100)]) {
      const good = await readFile(data);
      await writeFile(data, bad);
      const index = await service.open("docs");
      await expect(index.search(byVector)).rejects.toMatchObject(damage);
      await expect(index.search(byWords)).rejects.toMatchObject(damage);
      await expect(Array.fromAsync(index.rows())).rejects.toMatchObject(damage);
      await writeFile(data, good);
    }
    for (const manifest of (await filesIn(join(folder, "chunks.lance/_versions"))).filter((file) => file.endsWith(".manifest"))) await truncate(manifest, 10);
    await expect(service.open("docs")).rejects.toMatchObject(damage);
    await truncate(join(folder, "shape.json"), 10);
    await expect(service.open("docs")).rejects.toMatchObject({ code: "ARTIFACT_INVALID", message: expect.stringContaining("damaged") });
  });

  it("tells a file that is gone", async () => {
    const { service, folder } = await publish("gone");
    for (const file of await filesIn(join(folder, "chunks.lance/data"))) await rm(file);
    const index = await service.open("docs");
    await expect(index.search(byVector)).rejects.toMatchObject({ code: "INDEX_NOT_FOUND", retry: undefined, message: expect.stringContaining("lance:gone/docs no longer holds all files"), fix: expect.stringContaining("publish --again") });
  });
});

describe("what the system says of a shared folder", () => {
  it.each([
    ["EACCES", "SERVICE_DENIED", undefined],
    ["EPERM", "SERVICE_DENIED", undefined],
    ["EROFS", "SERVICE_DENIED", undefined],
    ["ESTALE", "SERVICE_UNAVAILABLE", { afterMs: null }],
    ["EIO", "SERVICE_UNAVAILABLE", { afterMs: null }],
    ["ETIMEDOUT", "SERVICE_UNAVAILABLE", { afterMs: null }],
    ["EMFILE", "SERVICE_UNAVAILABLE", { afterMs: null }],
    ["ENOSPC", "SERVICE_QUOTA", undefined],
    ["ENOTDIR", "FOLDER_UNUSABLE", undefined],
    ["ENOENT", "FOLDER_UNUSABLE", undefined],
  ])("as %s is %s", (code, expected, retry) => {
    const failure = folderFailure("/mnt/vectors", Object.assign(new Error("said"), { code, path: "/mnt/vectors/docs" }));
    expect(failure).toMatchObject({ code: expected, retry, message: expect.stringMatching(/^The folder \/mnt\/vectors cannot be used: \/mnt\/vectors\/docs: /) });
  });
});

async function filesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).map((name) => join(folder, name));
}

/** Permissions do not stop root, so root is another user meanwhile. */
async function withoutPrivileges(work: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return work();
  process.seteuid?.(65534);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}
