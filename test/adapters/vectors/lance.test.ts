import { createRequire } from "node:module";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { openVectors } from "../../../src/adapters/vectors/lance/adapter.ts";
import { lanceVersion } from "../../../src/adapters/vectors/lance/shape.ts";
import type { VectorIndex, VectorRow } from "../../../src/ports/vectors.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { describeVectors } from "../../ports/vectors.contract.ts";

describeVectors("lance", () => openVectors());
describeVectors("lance with an index of all vectors", () => openVectors({ scannedRows: 0 }));

describe("the lance engine", () => {
  it("records the version of LanceDB that is installed, and that of its own layout", async () => {
    const main = createRequire(import.meta.url).resolve("@lancedb/lancedb");
    const { version } = JSON.parse(await readFile(join(dirname(main), "../package.json"), "utf8")) as { version: string };
    expect(lanceVersion).toBe(version);
    expect(openVectors()).toMatchObject({ name: "lance", version: `${version}+2` });
  });

  it("finds the nearest vectors among more than it compares one by one, also after edits", async () => {
    const engine = openVectors({ exactRows: 2000 });
    const vectors = Array.from({ length: 3100 }, (_, i) => (i % 100 === 99 ? new Float32Array(16) : pseudoRandomVector(i)));
    const [first, second] = [await temporaryFolder(), await temporaryFolder()];
    await engine.write(first, { dimensions: 16, rows: rowsOf(vectors, 0, 3000) });
    await engine.write(second, { dimensions: 16, rows: rowsOf(vectors, 3000, 3100), base: { folder: first, drop: new Set(["5", "1400"]) } });
    const segments = async (folder: string): Promise<number> => (await readdir(join(folder, "chunks.lance", "_indices"), { recursive: true })).filter((name) => name.endsWith("index.idx")).length;
    expect([await segments(first), await segments(second)]).toEqual([1, 2]);
    expect(await recallOf(await engine.open(first), vectors.slice(0, 3000), [5, 1400, 2998])).toBeGreaterThanOrEqual(28);
    const edited = vectors.map((vector, i) => (i === 5 || i === 1400 ? new Float32Array(16) : vector));
    expect(await recallOf(await engine.open(second), edited, [7, 1401, 3050])).toBeGreaterThanOrEqual(28);
  });

  it("finds exactly the nearest in an index of all vectors, also after edits", async () => {
    const [scanning, engine] = [openVectors({ scannedRows: 9000 }), openVectors()];
    const vectors = Array.from({ length: 4600 }, (_, i) => pseudoRandomVector(i));
    const [scanned, first, second] = [await temporaryFolder(), await temporaryFolder(), await temporaryFolder()];
    await scanning.write(scanned, { dimensions: 16, rows: rowsOf(vectors, 0, 4600) });
    await engine.write(first, { dimensions: 16, rows: rowsOf(vectors, 0, 4500) });
    await engine.write(second, { dimensions: 16, rows: rowsOf(vectors, 4500, 4600), base: { folder: first, drop: new Set() } });
    const indexed = async (folder: string): Promise<number> => (await readdir(join(folder, "chunks.lance", "_indices"), { recursive: true })).filter((name) => name.endsWith("index.idx")).length;
    expect([await indexed(scanned), await indexed(first), await indexed(second)]).toEqual([0, 1, 1]);
    const [expected, found] = [await scanning.open(scanned), await engine.open(second)];
    for (const filter of [{}, { rest: ["7", "8"] }]) {
      for (const vector of [7, 1401, 4550].map((i) => vectors[i] ?? new Float32Array(16))) {
        const question = { mode: "vector", text: "", vector, topK: 10, filter } as const;
        const ids = async (index: VectorIndex): Promise<readonly string[]> => (await index.search(question)).map(({ id }) => id);
        expect(await ids(found)).toEqual(await ids(expected));
      }
    }
  });

  it.each([
    ["is made of them", undefined, { exactRows: 10_000, scannedRows: 1000 }],
    ["is made of them, quantised", undefined, { exactRows: 100, scannedRows: 100 }],
    ["is left with them after edits", [5000, 6000], { exactRows: 10_000, scannedRows: 1000 }],
  ])("finds exactly the few vectors that are not zero where an index %s", async (_, base, options) => {
    const engine = openVectors(options);
    const dimensions = 256;
    const directed = new Map([[7, pseudoRandomVector(7, dimensions)], [2998, pseudoRandomVector(2998, dimensions)]]);
    const vectors = Array.from({ length: 3000 }, (__, i) => directed.get(i) ?? new Float32Array(dimensions));
    const folder = await temporaryFolder();
    if (base === undefined) await engine.write(folder, { dimensions, rows: rowsOf(vectors, 0, 3000) });
    else {
      const [from = 0, to = 0] = base;
      const before = await temporaryFolder();
      await engine.write(before, { dimensions, rows: rowsOf(Array.from({ length: to }, (__, i) => pseudoRandomVector(i, dimensions)), from, to) });
      const drop = new Set(Array.from({ length: to - from }, (__, i) => `${from + i}`));
      await engine.write(folder, { dimensions, rows: rowsOf(vectors, 0, 3000), base: { folder: before, drop } });
    }
    const index = await engine.open(folder);
    for (const filter of [{}, { rest: ["7", "98"] }]) {
      const hits = await index.search({ mode: "vector", text: "", vector: pseudoRandomVector(2998, dimensions), topK: 10, filter });
      expect(hits.map(({ id }) => id)).toEqual(["2998", "7"]);
      expect(hits[1]?.score).toBeCloseTo(dot(pseudoRandomVector(2998, dimensions), pseudoRandomVector(7, dimensions)), 4);
    }
    expect(await index.count()).toBe(3000);
    expect(await index.search({ mode: "text", text: "t2999", topK: 1 })).toMatchObject([{ id: "2999" }]);
  });

  it.each([{}, { scannedRows: 0 }, { exactRows: 100 }])("finds nothing by vectors, and all by words, where every vector is zero: %j", async (options) => {
    const engine = openVectors(options);
    const folder = await temporaryFolder();
    await engine.write(folder, { dimensions: 256, rows: rowsOf(Array.from({ length: 1500 }, () => new Float32Array(256)), 0, 1500) });
    const index = await engine.open(folder);
    expect(await index.search({ mode: "vector", text: "", vector: pseudoRandomVector(1, 256), topK: 10 })).toEqual([]);
    expect(await index.search({ mode: "text", text: "t1499", topK: 1, filter: { rest: ["99"] } })).toMatchObject([{ id: "1499" }]);
  });

  it("finds all that match a filter among more than it compares one by one", async () => {
    const engine = openVectors({ exactRows: 2000 });
    const folder = await temporaryFolder();
    const vectors = Array.from({ length: 3000 }, (_, i) => pseudoRandomVector(i));
    await engine.write(folder, { dimensions: 16, rows: rowsOf(vectors, 0, 3000) });
    const hits = await (await engine.open(folder)).search({ mode: "vector", text: "", vector: pseudoRandomVector(1), topK: 30, filter: { rest: ["7"] } });
    expect(hits).toHaveLength(30);
    const exact = vectors.map((vector, i) => [dot(vector, pseudoRandomVector(1)), i] as const).filter(([, i]) => i % 100 === 7).sort(([left], [right]) => right - left);
    expect(hits.map(({ id }) => id)).toEqual(exact.map(([, i]) => String(i)));
  });
});

async function* rowsOf(vectors: readonly Float32Array[], from: number, to: number): AsyncIterable<readonly VectorRow[]> {
  const rowOf = (vector: Float32Array, i: number): VectorRow => ({ id: `${i}`, document: "d", headings: "", text: `t${i}`, language: null, metadata: { rest: i % 100 }, vector });
  for (let start = from; start < to; start += 1000) yield vectors.slice(start, Math.min(start + 1000, to)).map((vector, i) => rowOf(vector, start + i));
}

async function recallOf(index: VectorIndex, vectors: readonly Float32Array[], questions: readonly number[]): Promise<number> {
  const recalls = await Promise.all(questions.map(async (question) => {
    const vector = vectors[question] ?? new Float32Array(16);
    const ranked = vectors.map((other, i) => [dot(vector, other), String(i)] as const).sort(([left], [right]) => right - left);
    const exact = new Set(ranked.slice(0, 10).map(([, id]) => id));
    const hits = await index.search({ mode: "vector", text: "", vector, topK: 10 });
    return hits.filter(({ id }) => exact.has(id)).length;
  }));
  return recalls.reduce((sum, recall) => sum + recall, 0);
}

function pseudoRandomVector(seed: number, dimensions = 16): Float32Array {
  const values = Float32Array.from({ length: dimensions }, (_, i) => Math.sin((seed + 1) * 12.9898 + (i + 1) * 78.233) * 43758.5453 % 1);
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

function dot(left: Float32Array, right: Float32Array): number {
  return left.reduce((sum, value, i) => sum + value * (right[i] ?? 0), 0);
}
