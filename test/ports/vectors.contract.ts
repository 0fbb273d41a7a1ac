import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/descriptor.ts";
import type { VectorEngine, VectorIndex, VectorQuery, VectorRow } from "../../src/ports/vectors.ts";
import { temporaryFolder } from "../helpers/context.ts";

const dimensions = 4;

function row(id: string, text: string, vector: readonly number[], headings = ""): VectorRow {
  return { id, document: `docs/${id}.md`, headings, text, vector: Float32Array.from(vector) };
}

const rows = [
  row("a", "Refunds are paid within fourteen days.", [1, 0, 0, 0], "Handbook > Refunds"),
  row("b", "Parcels are shipped every working day.", [0, 1, 0, 0], "Handbook > Shipping"),
  row("c", "The API allows 100 requests a minute; error 429 says stop.", [0, 0, 1, 0], "API limits"),
  row("d", "設定は環境変数に格納する。", [0, 0, 0, 1], "日本語"),
  row("e", "Parcels weigh at most thirty kilograms.", [0, 0.6, 0.8, 0], "Handbook > Shipping"),
];

/** The promise of the vector port; every engine joins with one call. */
export function describeVectors(name: string, open: () => VectorEngine | Promise<VectorEngine>): void {
  async function indexOf(batches: readonly (readonly VectorRow[])[]): Promise<{ index: VectorIndex; folder: string }> {
    const engine = await open();
    const folder = await temporaryFolder();
    await engine.write(folder, streamOf(batches), dimensions);
    return { index: await engine.open(folder), folder };
  }
  const idsOf = async (index: VectorIndex, query: Partial<VectorQuery>): Promise<readonly string[]> =>
    (await index.search({ mode: "text", text: "", topK: 3, ...query })).map(({ id }) => id);

  describe(`${name} as a vector engine`, () => {
    it("gives back what was written, in batches of any size", async () => {
      const { index } = await indexOf([rows.slice(0, 1), rows.slice(1)]);
      expect(await index.count()).toBe(5);
      const [hit] = await index.search({ mode: "text", text: "refunds", topK: 1 });
      expect(hit).toEqual({ id: "a", document: "docs/a.md", headings: "Handbook > Refunds", text: "Refunds are paid within fourteen days.", score: expect.any(Number) });
    });

    it("orders a vector search by cosine, whatever the length of the question's vector", async () => {
      const { index } = await indexOf([rows]);
      const hits = await index.search({ mode: "vector", text: "", vector: Float32Array.of(0, 10, 0, 0), topK: 2 });
      expect(hits.map(({ id }) => id)).toEqual(["b", "e"]);
      expect(hits[0]?.score).toBeCloseTo(1, 5);
      expect(hits[1]?.score).toBeCloseTo(0.6, 5);
    });

    it("finds words by their stem, in text and headings, in any case, and digits", async () => {
      const { index } = await indexOf([rows]);
      expect(await idsOf(index, { text: "SHIPS parcel", topK: 2 })).toEqual(["b", "e"]);
      expect(await idsOf(index, { text: "refund" })).toEqual(["a"]);
      expect(await idsOf(index, { text: "429" })).toEqual(["c"]);
    });

    it("finds words of languages without spaces", async () => {
      const { index } = await indexOf([rows]);
      expect(await idsOf(index, { text: "環境変数" })).toEqual(["d"]);
    });

    it("reads a question as words, never as operators", async () => {
      const { index } = await indexOf([rows]);
      expect(await idsOf(index, { text: '"refunds" AND NOT (parcels) +api -x text:y*~ \\ [ { ^' })).toEqual(expect.arrayContaining(["a", "c"]));
      for (const text of ["", "  ", '"', "AND", "!?+-*", "\ud800", "word ".repeat(20_000)]) await expect(index.search({ mode: "text", text, topK: 3 })).resolves.toEqual([]);
    });

    it("merges both searches in hybrid mode by the ranks they give", async () => {
      const { index } = await indexOf([rows]);
      const hits = await index.search({ mode: "hybrid", text: "refunds", vector: Float32Array.of(0.1, 0, 1, 0), topK: 5 });
      // a: first by words and third by cosine (c, e, a); c: first by cosine only.
      expect(hits.slice(0, 2).map(({ id }) => id)).toEqual(["a", "c"]);
      expect(hits[0]?.score).toBeCloseTo(1 / 61 + 1 / 63, 6);
      expect(hits[1]?.score).toBeCloseTo(1 / 61, 6);
    });

    it("gives no vector hits for a question whose vector is zero, and still the words' hits", async () => {
      const { index } = await indexOf([rows]);
      const vector = new Float32Array(dimensions);
      expect(await idsOf(index, { mode: "vector", vector })).toEqual([]);
      expect(await idsOf(index, { mode: "hybrid", text: "refunds", vector })).toEqual(["a"]);
    });

    it("orders hits with equal scores by their IDs", async () => {
      const { index } = await indexOf([["z", "m", "b", "q"].map((id) => row(id, "same words here", [0, 0, 1, 0]))]);
      expect(await idsOf(index, { mode: "vector", vector: Float32Array.of(0, 0, 1, 0), topK: 4 })).toEqual(["b", "m", "q", "z"]);
      expect(await idsOf(index, { mode: "text", text: "words", topK: 4 })).toEqual(["b", "m", "q", "z"]);
    });

    it("gives at most topK hits", async () => {
      const { index } = await indexOf([rows]);
      const vector = Float32Array.of(1, 1, 1, 1);
      for (const mode of ["vector", "text", "hybrid"] as const) expect(await idsOf(index, { mode, text: "parcels api refunds", vector, topK: 2 })).toHaveLength(2);
    });

    it("answers nothing from an index without rows", async () => {
      const { index } = await indexOf([]);
      expect(await index.count()).toBe(0);
      for (const mode of ["vector", "text", "hybrid"] as const) expect(await idsOf(index, { mode, text: "refunds", vector: Float32Array.of(1, 0, 0, 0) })).toEqual([]);
    });

    it("never writes to a folder that it opens", async () => {
      const { index, folder } = await indexOf([rows]);
      const before = await digestsOf(folder);
      await index.search({ mode: "hybrid", text: "parcels", vector: Float32Array.of(0, 1, 0, 0), topK: 3 });
      index.close();
      expect(await digestsOf(folder)).toEqual(before);
      expect(Object.keys(before).length).toBeGreaterThan(0);
    });

    it("says which folder holds no index", async () => {
      const folder = await temporaryFolder();
      await expect((await open()).open(folder)).rejects.toMatchObject({ code: "ARTIFACT_INVALID", message: expect.stringContaining(folder) });
    });
  });
}

async function* streamOf(batches: readonly (readonly VectorRow[])[]): AsyncIterable<readonly VectorRow[]> {
  yield* batches;
}

async function digestsOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, digestOf(await readFile(file))] as const)));
}
