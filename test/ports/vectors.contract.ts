import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/descriptor.ts";
import type { VectorBase, VectorEngine, VectorIndex, VectorQuery, VectorRow } from "../../src/ports/vectors.ts";
import { temporaryFolder } from "../helpers/context.ts";

const dimensions = 4;

function row(id: string, text: string, vector: readonly number[], rest: Partial<VectorRow> = {}): VectorRow {
  return { id, document: `docs/${id}.md`, headings: "", text, language: "en", metadata: {}, ...rest, vector: Float32Array.from(vector) };
}

const rows = [
  row("a", "Refunds are paid within fourteen days.", [1, 0, 0, 0], { headings: "Handbook > Refunds", metadata: { language: "en", team: "money", page: 3 } }),
  row("b", "Parcels are shipped every working day.", [0, 1, 0, 0], { headings: "Handbook > Shipping", metadata: { team: "o'hara's", tags: ["post", "daily"] } }),
  row("c", "The API allows 100 requests a minute; error 429 says stop.", [0, 0, 1, 0], { headings: "API limits", language: null, metadata: { isPublic: true, note: "100%_\\ \n\u0000\"🙂" } }),
  row("d", "設定は環境変数に格納する。", [0, 0, 0, 1], { headings: "日本語", language: "ja" }),
  row("e", "Parcels weigh at most thirty kilograms.", [0, 0.6, 0.8, 0], { headings: "Handbook > Shipping", metadata: { team: "logistics", tags: ["post"] } }),
];

/** The promise of the vector port; every engine joins with one call. */
export function describeVectors(name: string, open: () => VectorEngine | Promise<VectorEngine>): void {
  async function write(batches: readonly (readonly VectorRow[])[], base?: VectorBase): Promise<string> {
    const folder = await temporaryFolder();
    await (await open()).write(folder, { dimensions, rows: streamOf(batches), ...(base === undefined ? {} : { base }) });
    return folder;
  }
  const indexOf = async (batches: readonly (readonly VectorRow[])[]): Promise<VectorIndex> => (await open()).open(await write(batches));
  const idsOf = async (index: VectorIndex, query: Partial<VectorQuery>): Promise<readonly string[]> =>
    (await index.search({ mode: "text", text: "", topK: 3, ...query })).map(({ id }) => id);
  const everywhere = Float32Array.of(1, 1, 1, 1);

  describe(`${name} as a vector engine`, () => {
    it("gives back what was written, in batches of any size", async () => {
      const index = await indexOf([rows.slice(0, 1), [], rows.slice(1)]);
      expect(await index.count()).toBe(5);
      const [hit] = await index.search({ mode: "text", text: "refunds", topK: 1 });
      const { vector: _, language: __, ...a } = rows[0] ?? row("", "", []);
      expect(hit).toEqual({ ...a, score: expect.any(Number) });
      const japanese = await index.search({ mode: "vector", text: "", vector: Float32Array.of(0, 0, 0, 1), topK: 1 });
      expect(japanese).toMatchObject([{ headings: "日本語", text: "設定は環境変数に格納する。" }]);
    });

    it("gives the IDs of all chunks", async () => {
      const ids: string[] = [];
      for await (const id of (await indexOf([rows])).ids()) ids.push(id);
      expect(ids.sort()).toEqual(["a", "b", "c", "d", "e"]);
    });

    it("gives whole rows back, all or those of some IDs", async () => {
      const index = await indexOf([rows, [row("f", "Zboží se vrací do 14 dnů.", [1, 1, 0, 0], { language: "cs" })]]);
      const found = new Map<string, VectorRow>();
      for await (const group of index.rows()) for (const each of group) found.set(each.id, each);
      expect([...found.keys()].sort()).toEqual(["a", "b", "c", "d", "e", "f"]);
      expect([...found.values()].find(({ id }) => id === "a")).toEqual(rows[0]);
      expect(found.get("c")).toEqual(rows[2]);
      expect(found.get("d")).toEqual(rows[3]);
      expect(found.get("f")?.language).toBe("cs");
      const some: string[] = [];
      for await (const group of index.rows(["b", "o'hara", "d"])) some.push(...group.map(({ id }) => id));
      expect(some.sort()).toEqual(["b", "d"]);
    });

    it("orders a vector search by cosine, whatever the length of the question's vector", async () => {
      const index = await indexOf([rows]);
      const hits = await index.search({ mode: "vector", text: "", vector: Float32Array.of(0, 10, 0, 0), topK: 2 });
      expect(hits.map(({ id }) => id)).toEqual(["b", "e"]);
      expect(hits[0]?.score).toBeCloseTo(1, 5);
      expect(hits[1]?.score).toBeCloseTo(0.6, 5);
    });

    it("scores words by BM25 with k1 1.2 and b 0.75", async () => {
      const index = await indexOf([[row("x", "alpha beta gamma", [1, 0, 0, 0]), row("y", "alpha delta", [1, 0, 0, 0]), row("z", "beta epsilon zeta eta", [1, 0, 0, 0]), row("w", "theta", [1, 0, 0, 0])]]);
      const hits = await index.search({ mode: "text", text: "alpha", topK: 3 });
      const score = (length: number): number => (Math.log(1 + 2.5 / 2.5) * 2.2) / (1 + 1.2 * (0.25 + (0.75 * length) / 2.5));
      expect(hits.map(({ id }) => id)).toEqual(["y", "x"]);
      expect(hits[0]?.score).toBeCloseTo(score(2), 5);
      expect(hits[1]?.score).toBeCloseTo(score(3), 5);
    });

    it("finds words by their stem, in text and headings, in any case, and digits", async () => {
      const index = await indexOf([rows]);
      expect(await idsOf(index, { text: "SHIPS parcel", topK: 2 })).toEqual(["b", "e"]);
      expect(await idsOf(index, { text: "refund" })).toEqual(["a"]);
      expect(await idsOf(index, { text: "429" })).toEqual(["c"]);
    });

    it("stems each document as its own language does", async () => {
      const index = await indexOf([[
        row("de", "Die Häuser stehen an den Straßen.", [1, 0, 0, 0], { language: "de" }),
        row("fr", "Les maisons sont dans les rues.", [1, 0, 0, 0], { language: "fr" }),
        row("en", "The houses stand in their streets.", [1, 0, 0, 0]),
        row("cs", "Domy stojí v ulicích.", [1, 0, 0, 0], { language: "cs" }),
      ]]);
      expect(await idsOf(index, { text: "Haus" })).toEqual(["de"]);
      expect(await idsOf(index, { text: "maison" })).toEqual(["fr"]);
      expect(await idsOf(index, { text: "house" })).toEqual(["en"]);
      expect(await idsOf(index, { text: "domy" })).toEqual(["cs"]);
    });

    it("finds the few chunks of one language beside the many of another", async () => {
      const many = Array.from({ length: 60 }, (_, i) => row(`en${i}`, `Order number ${i} of the shop was delivered and paid`, [0, 1, 0, 0]));
      const index = await indexOf([[...many, row("de", "Die Lieferung der Order dauert drei Tage.", [1, 0, 0, 0], { language: "de" })]]);
      expect((await idsOf(index, { text: "Lieferungen order", topK: 1 }))).toEqual(["de"]);
    });

    it("finds words of languages without spaces", async () => {
      expect(await idsOf(await indexOf([rows]), { text: "環境変数" })).toEqual(["d"]);
    });

    it("reads a question as words, never as operators", async () => {
      const index = await indexOf([rows]);
      expect(await idsOf(index, { text: '"refunds" AND NOT (parcels) +api -x text:y*~ \\ [ { ^' })).toEqual(expect.arrayContaining(["a", "c"]));
      for (const text of ["", "  ", '"', "AND", "!?+-*", "🙂🙂", "\ud800", "\u0000", "word ".repeat(20_000)]) await expect(index.search({ mode: "text", text, topK: 3 })).resolves.toEqual([]);
    });

    it("gives no vector hits for a question whose vector is zero", async () => {
      expect(await idsOf(await indexOf([rows]), { mode: "vector", vector: new Float32Array(dimensions) })).toEqual([]);
    });

    it("orders hits with equal scores by their IDs, also where more are equal than are asked for", async () => {
      const ids = Array.from({ length: 90 }, (_, i) => `n${String((i * 37) % 90).padStart(2, "0")}`);
      const index = await indexOf([ids.map((id) => row(id, "same words here", [0, 0, 1, 0]))]);
      for (const mode of ["vector", "text"] as const) expect(await idsOf(index, { mode, text: "words", vector: Float32Array.of(0, 0, 1, 0), topK: 4 })).toEqual(["n00", "n01", "n02", "n03"]);
    });

    it("gives at most topK hits", async () => {
      const index = await indexOf([rows]);
      for (const mode of ["vector", "text"] as const) expect(await idsOf(index, { mode, text: "parcels api refunds", vector: everywhere, topK: 2 })).toHaveLength(2);
    });

    it.each([
      ["the value of a key", { team: ["money"] }, ["a"]],
      ["any of several values", { team: ["money", "logistics", "absent"] }, ["a", "e"]],
      ["an item of a list", { tags: ["daily"] }, ["b"]],
      ["several keys at once", { tags: ["post"], team: ["logistics"] }, ["e"]],
      ["numbers and booleans as they are written", { isPublic: ["true"] }, ["c"]],
      ["numbers", { page: ["3"] }, ["a"]],
      ["values with quotes", { team: ["o'hara's"] }, ["b"]],
      ["values of odd characters", { note: ["100%_\\ \n\u0000\"🙂"] }, ["c"]],
      ["the document's path", { document: ["docs/c.md", "docs/e.md"] }, ["c", "e"]],
      ["the language", { language: ["ja"] }, ["d"]],
      ["nothing that is there", { team: ["mone"] }, []],
      ["a key that no document has", { "x' OR true --": ["1"] }, []],
      ["no value at all", { team: [] }, []],
      ["everything", {}, ["a", "b", "c", "d", "e"]],
    ] as const)("filters by %s", async (_, filter, expected) => {
      const index = await indexOf([rows]);
      const hits = await idsOf(index, { mode: "vector", vector: everywhere, filter, topK: 5 });
      expect(hits.toSorted()).toEqual(expected);
      const words = await idsOf(index, { text: "refunds parcels requests 設定", filter, topK: 5 });
      expect(words.toSorted()).toEqual(expected);
    });

    it("filters before it chooses the best", async () => {
      const near = Array.from({ length: 200 }, (_, i) => row(`near${i}`, "parcel parcel", [1, 0, 0, 0]));
      const index = await indexOf([[...near, row("far", "parcel of another team with many more words", [0, 1, 0, 0], { metadata: { team: "far" } })]]);
      for (const mode of ["vector", "text"] as const) expect(await idsOf(index, { mode, text: "parcel", vector: Float32Array.of(1, 0.1, 0, 0), filter: { team: ["far"] }, topK: 1 })).toEqual(["far"]);
    });

    it("answers nothing from an index without rows", async () => {
      const index = await indexOf([]);
      expect(await index.count()).toBe(0);
      for (const mode of ["vector", "text"] as const) expect(await idsOf(index, { mode, text: "refunds", vector: Float32Array.of(1, 0, 0, 0) })).toEqual([]);
    });

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
      const mentions = async (at: string): Promise<number> => (await Promise.all(Object.keys(await digestsOf(at)).map((file) => readFile(file, "latin1")))).filter((text) => text.includes("unforgettable")).length;
      expect(await mentions(first)).toBeGreaterThan(0);
      expect(await mentions(folder)).toBe(0);
      expect(Object.keys(await digestsOf(folder)).length).toBeLessThanOrEqual(Object.keys(await digestsOf(await write([rows]))).length + 4);
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

async function* streamOf(batches: readonly (readonly VectorRow[])[]): AsyncIterable<readonly VectorRow[]> {
  yield* batches;
}

async function digestsOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, digestOf(await readFile(file))] as const)));
}
