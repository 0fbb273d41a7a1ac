import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openVectors, openVectorService } from "../../../src/adapters/registry.ts";
import type { VectorRow } from "../../../src/ports/vectors.ts";
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

  it("gives the same nearest as the embedded engine where its vectors stand in several partitions", async () => {
    const many = Array.from({ length: 5000 }, (_, i): VectorRow => ({ id: `c${i}`, document: "d", headings: "", text: `t${i}`, language: null, metadata: { rest: i % 50 }, vector: Float32Array.from({ length: 32 }, (__, j) => Math.sin((i + 1) * 12.9898 + j * 78.233) * 43758.5453 % 1) }));
    async function* rows(): AsyncIterable<readonly VectorRow[]> {
      yield many;
    }
    const service = await openVectorService("lance:several", { dir, env: {} });
    await service.publish("many", { dimensions: 32, rows: rows() });
    const engine = await openVectors("lance:", { dir, env: {} });
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
    await expect(service.check()).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE", message: expect.stringContaining(join(dir, "file/below")) });
    await expect(service.publish("docs", { dimensions: 4, rows: (async function* () {})() })).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
  });
});
