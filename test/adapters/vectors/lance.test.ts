import { createRequire } from "node:module";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { lanceVersion, openVectors } from "../../../src/adapters/vectors/lance/adapter.ts";
import { fuse } from "../../../src/adapters/vectors/lance/convert.ts";
import type { VectorHit, VectorRow } from "../../../src/ports/vectors.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { describeVectors } from "../../ports/vectors.contract.ts";

describeVectors("lance", () => openVectors());

describe("the lance engine", () => {
  it("records the version of LanceDB that is installed", async () => {
    const main = createRequire(import.meta.url).resolve("@lancedb/lancedb");
    const { version } = JSON.parse(await readFile(join(dirname(main), "../package.json"), "utf8")) as { version: string };
    expect(lanceVersion).toBe(version);
    expect(openVectors()).toMatchObject({ name: "lance", version });
  });

  it("finds the nearest vectors among more than it compares one by one", async () => {
    const folder = await temporaryFolder();
    const count = 3000;
    const vectors = Array.from({ length: count }, (_, i) => pseudoRandomVector(i));
    await openVectors({ exactRows: 2000 }).write(folder, rowsOf(vectors), 16);
    expect((await readdir(join(folder, "chunks.lance", "_indices"))).length).toBe(2);
    const index = await openVectors().open(folder);
    const questions = [5, 1400, 2999].map((i) => vectors[i] ?? new Float32Array(16));
    const recalls = await Promise.all(questions.map(async (vector) => {
      const ranked = vectors.map((other, i) => [dot(vector, other), String(i)] as const).sort(([left], [right]) => right - left);
      const exact = new Set(ranked.slice(0, 10).map(([, id]) => id));
      const hits = await index.search({ mode: "vector", text: "", vector, topK: 10 });
      return hits.filter(({ id }) => exact.has(id)).length;
    }));
    expect(recalls.reduce((sum, recall) => sum + recall, 0)).toBeGreaterThanOrEqual(28);
  });
});

describe("fusion", () => {
  const hit = (id: string): VectorHit => ({ id, document: "", headings: "", text: "", score: 1 });

  it("adds the reciprocal ranks of each list and breaks ties by ID", () => {
    const fused = fuse([[hit("x"), hit("b")], [hit("b"), hit("a")], [hit("a"), hit("x")]]);
    expect(fused.map(({ id, score }) => [id, score])).toEqual([["a", 1 / 62 + 1 / 61], ["b", 1 / 62 + 1 / 61], ["x", 1 / 61 + 1 / 62]]);
  });
});

async function* rowsOf(vectors: readonly Float32Array[]): AsyncIterable<readonly VectorRow[]> {
  for (let start = 0; start < vectors.length; start += 1000) {
    yield vectors.slice(start, start + 1000).map((vector, i) => ({ id: `${start + i}`, document: "d", headings: "", text: `t${start + i}`, vector }));
  }
}

function pseudoRandomVector(seed: number): Float32Array {
  const values = Float32Array.from({ length: 16 }, (_, i) => Math.sin((seed + 1) * 12.9898 + (i + 1) * 78.233) * 43758.5453 % 1);
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

function dot(left: Float32Array, right: Float32Array): number {
  return left.reduce((sum, value, i) => sum + value * (right[i] ?? 0), 0);
}
