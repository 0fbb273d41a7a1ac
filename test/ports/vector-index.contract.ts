import { expect, it } from "vitest";
import type { VectorIndex, VectorQuery, VectorRow } from "../../src/ports/vectors.ts";

export const dimensions = 4;

/**
 * How an engine's text search stands to the embedded one: the very same ten best, or at least this share of them on average
 * over the questions (and none of its stems, stop words and scores).
 */
export type TextAgreement = "equal" | number;

export interface IndexContractOptions {
  /** Puts the rows into a new index and opens it. */
  readonly indexOf: (batches: readonly (readonly VectorRow[])[]) => Promise<VectorIndex>;
  readonly text?: TextAgreement;
}

export function row(id: string, text: string, vector: readonly number[], rest: Partial<VectorRow> = {}): VectorRow {
  return { id, document: `docs/${id}.md`, headings: "", text, language: "en", metadata: {}, ...rest, vector: Float32Array.from(vector) };
}

export const rows = [
  row("a", "Refunds are paid within fourteen days.", [1, 0, 0, 0], { headings: "Handbook > Refunds", metadata: { language: "en", team: "money", page: 3 } }),
  row("b", "Parcels are shipped every working day.", [0, 1, 0, 0], { headings: "Handbook > Shipping", metadata: { team: "o'hara's", tags: ["post", "daily"] } }),
  row("c", "The API allows 100 requests a minute; error 429 says stop.", [0, 0, 1, 0], { headings: "API limits", language: null, metadata: { isPublic: true, note: "100%_\\ \n\u0000\"🙂" } }),
  row("d", "設定は環境変数に格納する。", [0, 0, 0, 1], { headings: "日本語", language: "ja" }),
  row("e", "Parcels weigh at most thirty kilograms.", [0, 0.6, 0.8, 0], { headings: "Handbook > Shipping", metadata: { team: "logistics", tags: ["post"] } }),
];

/** What every open index promises, whoever holds it; called inside the `describe` of its engine or service. */
export function describeVectorIndex({ indexOf, text: agreement = "equal" }: IndexContractOptions): void {
  const hasEqualText = agreement === "equal";
  const idsOf = async (index: VectorIndex, query: Partial<VectorQuery>): Promise<readonly string[]> =>
    (await index.search({ mode: "text", text: "", topK: 3, ...query })).map(({ id }) => id);
  const everywhere = Float32Array.of(1, 1, 1, 1);

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

  it.runIf(hasEqualText)("scores words by BM25 with k1 1.2 and b 0.75", async () => {
    const index = await indexOf([[row("x", "alpha beta gamma", [1, 0, 0, 0]), row("y", "alpha delta", [1, 0, 0, 0]), row("z", "beta epsilon zeta eta", [1, 0, 0, 0]), row("w", "theta", [1, 0, 0, 0])]]);
    const hits = await index.search({ mode: "text", text: "alpha", topK: 3 });
    const score = (length: number): number => (Math.log(1 + 2.5 / 2.5) * 2.2) / (1 + 1.2 * (0.25 + (0.75 * length) / 2.5));
    expect(hits.map(({ id }) => id)).toEqual(["y", "x"]);
    expect(hits[0]?.score).toBeCloseTo(score(2), 5);
    expect(hits[1]?.score).toBeCloseTo(score(3), 5);
  });

  it.runIf(hasEqualText)("finds words by their stem, in text and headings, in any case, and digits", async () => {
    const index = await indexOf([rows]);
    expect(await idsOf(index, { text: "SHIPS parcel", topK: 2 })).toEqual(["b", "e"]);
    expect(await idsOf(index, { text: "refund" })).toEqual(["a"]);
    expect(await idsOf(index, { text: "429" })).toEqual(["c"]);
  });

  it.runIf(hasEqualText)("stems each document as its own language does", async () => {
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

  it.runIf(hasEqualText)("finds the few chunks of one language beside the many of another", async () => {
    const many = Array.from({ length: 60 }, (_, i) => row(`en${i}`, `Order number ${i} of the shop was delivered and paid`, [0, 1, 0, 0]));
    const index = await indexOf([[...many, row("de", "Die Lieferung der Order dauert drei Tage.", [1, 0, 0, 0], { language: "de" })]]);
    expect((await idsOf(index, { text: "Lieferungen order", topK: 1 }))).toEqual(["de"]);
  });

  it.runIf(hasEqualText)("finds words of languages without spaces", async () => {
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
}
