import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/descriptor.ts";
import type { VectorBase, VectorEngine, VectorIndex, VectorRow } from "../../src/ports/vectors.ts";
import { temporaryFolder } from "../helpers/context.ts";
import { describeVectorIndex, dimensions, row, rows } from "./vector-index.contract.ts";

/** The promise of the vector port; every engine joins with one call. */
export function describeVectors(name: string, open: () => VectorEngine | Promise<VectorEngine>): void {
  async function write(batches: readonly (readonly VectorRow[])[], base?: VectorBase): Promise<string> {
    const folder = await temporaryFolder();
    await (await open()).write(folder, { dimensions, rows: streamOf(batches), ...(base === undefined ? {} : { base }) });
    return folder;
  }
  const indexOf = async (batches: readonly (readonly VectorRow[])[]): Promise<VectorIndex> => (await open()).open(await write(batches));

  describe(`${name} as a vector engine`, () => {
    describeVectorIndex({ indexOf });

    it("answers from an index on a base as from one that was written whole, after every edit", async () => {
      const engine = await open();
      let held = new Map<string, VectorRow>();
      let folder = await write([]);
      for (const { drop, add } of edits) {
        const before = await digestsOf(folder);
        const next = await write([add], { folder, drop: new Set(drop) });
        expect(await digestsOf(folder)).toEqual(before);
        held = new Map([...[...held].filter(([id]) => !drop.includes(id)), ...add.map((each) => [each.id, each] as const)]);
        const [edited, whole] = [await engine.open(next), await indexOf([[...held.values()]])];
        expect(await edited.count()).toBe(held.size);
        for (const text of ["parcel order", "Häuser", "設定", "order number 7", "maison"]) {
          for (const mode of ["vector", "text"] as const) {
            const query = { mode, text, vector: Float32Array.of(0.5, 0.1, 0.7, 0.2), topK: 8 };
            expect(await edited.search(query)).toEqual(await whole.search(query));
          }
        }
        folder = next;
      }
    });

    it("keeps nothing of what an index on a base left behind", async () => {
      const first = await write([[row("gone", "xylophone unforgettable", [1, 0, 0, 0]), ...rows]]);
      let folder = first;
      for (let i = 0; i < 6; i++) folder = await write([[row(`n${i}`, "another parcel", [1, 0, 0, i])]], { folder, drop: new Set(i === 0 ? ["gone"] : [`n${i - 1}`]) });
      expect(await mentions(first)).toBeGreaterThan(0);
      expect(await mentions(folder)).toBe(0);
      expect(Object.keys(await digestsOf(folder)).length).toBeLessThanOrEqual(Object.keys(await digestsOf(await write([rows]))).length + 8);
    });

    it("keeps nothing of the one chunk of many that an index on a base leaves out", async () => {
      const many = Array.from({ length: 500 }, (_, i) => row(`m${i}`, `parcel ${i}`, [1, 0, 0, i]));
      const folder = await write([], { folder: await write([[row("gone", "xylophone unforgettable", [1, 0, 0, 0]), ...many]]), drop: new Set(["gone"]) });
      expect(await mentions(folder)).toBe(0);
      const index = await (await open()).open(folder);
      expect((await Array.fromAsync(index.ids())).toSorted()).toEqual(many.map(({ id }) => id).toSorted());
      index.close();
    });

    it("never writes to a folder that it opens", async () => {
      const engine = await open();
      const folder = await write([rows]);
      const before = await digestsOf(folder);
      const index = await engine.open(folder);
      await Promise.all((["vector", "text"] as const).map((mode) => index.search({ mode, text: "parcels", vector: Float32Array.of(0, 1, 0, 0), filter: { tags: ["post"] }, topK: 3 })));
      index.close();
      expect(await digestsOf(folder)).toEqual(before);
      expect(Object.keys(before).length).toBeGreaterThan(0);
    });

    it("says which folder holds no index", async () => {
      const folder = await temporaryFolder();
      await mkdir(join(folder, "other"));
      await expect((await open()).open(folder)).rejects.toMatchObject({ code: "ARTIFACT_INVALID", message: expect.stringContaining(folder) });
    });

    it("builds on no index of other dimensions", async () => {
      const base = { folder: await write([rows]), drop: new Set<string>() };
      await expect((await open()).write(await temporaryFolder(), { dimensions: 8, base, rows: streamOf([]) })).rejects.toMatchObject({ code: "ARTIFACT_INVALID" });
    });

    it("passes on what the rows fail with", async () => {
      const failing: AsyncIterable<readonly VectorRow[]> = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new RangeError("the source went away")) }) };
      await expect((await open()).write(await temporaryFolder(), { dimensions, rows: failing })).rejects.toThrow(new RangeError("the source went away"));
    });
  });
}

const orders = (from: number, count: number): readonly VectorRow[] => Array.from({ length: count }, (_, i) => row(`o${from + i}`, `Order number ${from + i} holds ${(from + i) % 5} parcels`, [Math.sin(from + i), Math.cos(from + i), 0.1, 0.2]));

/** A language appears and goes again, chunks are replaced under their ID, and most are dropped at once. */
const edits: readonly { readonly drop: readonly string[]; readonly add: readonly VectorRow[] }[] = [
  { drop: [], add: [...rows, ...orders(0, 40)] },
  { drop: ["a", "o3"], add: [row("de", "Die Häuser stehen an den Straßen.", [0, 1, 1, 0], { language: "de" })] },
  { drop: ["o7"], add: [row("o7", "Order number 7 holds no parcel any more", [0.4, 0.1, 0.7, 0.1])] },
  { drop: ["de", "d", "absent"], add: [] },
  { drop: [], add: [row("fr", "La maison est grande.", [0, 0, 1, 1], { language: "fr" }), ...orders(40, 3)] },
  { drop: Array.from({ length: 36 }, (_, i) => `o${i}`), add: orders(50, 1) },
  { drop: ["b", "c", "e", "fr", ...Array.from({ length: 60 }, (_, i) => `o${i}`)], add: [] },
  { drop: [], add: rows.slice(0, 2) },
];

async function mentions(folder: string): Promise<number> {
  const texts = await Promise.all(Object.keys(await digestsOf(folder)).map((file) => readFile(file, "latin1")));
  return texts.filter((text) => text.includes("unforgettable")).length;
}

async function* streamOf(batches: readonly (readonly VectorRow[])[]): AsyncIterable<readonly VectorRow[]> {
  yield* batches;
}

async function digestsOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, digestOf(await readFile(file))] as const)));
}
