import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/descriptor.ts";
import { type ChunkedDocument, chunkerIdentity, isSameDocuments, planBatches, planIndex, planLedger, planTexts } from "../../src/index/plan.ts";

function document(path: string, texts: readonly string[]): ChunkedDocument {
  const chunks = texts.map((text, i) => ({ id: `${path}${i}`, textDigest: digestOf(`A\n\n${text}`), headings: ["A"], text }));
  return { path, digest: digestOf(texts.join()), loader: "markdown", chunks };
}
const documents = [document("b.md", ["one", "two"]), document("a.md", ["two", "three"])];

describe("the plan of an index", () => {
  it("lists documents by path, with everything of a chunk but its text", () => {
    const ledger = planLedger(documents);
    expect(ledger.documents.map(({ path }) => path)).toEqual(["a.md", "b.md"]);
    expect(ledger.documents[0]?.chunks[0]).toEqual({ id: "a.md0", textDigest: digestOf("A\n\ntwo"), headings: ["A"] });
    expect(planLedger(documents.toReversed())).toEqual(ledger);
  });

  it("counts documents and chunks", () => {
    const embedder = { provider: "hash", model: "m", dimensions: 8, normalised: true, documentTask: null, queryTask: null };
    const ledger = { mediaType: "x", digest: digestOf(""), size: 0 };
    const facts = { app: "app", name: "docs", embedder, chunker: chunkerIdentity() };
    expect(planIndex(facts, planLedger(documents), ledger)).toEqual({ version: 1, ...facts, documents: 2, chunks: 4, ledger });
  });

  it("has chunks of 400 tokens with 50 in common when nobody says otherwise", () => {
    expect(chunkerIdentity()).toMatchObject({ maxTokens: 400, overlapTokens: 50 });
    expect(chunkerIdentity({ maxTokens: 100 })).toMatchObject({ maxTokens: 100, overlapTokens: 50 });
  });

  it("knows the same documents again, in any order, and any difference", () => {
    const ledger = planLedger(documents);
    const [first, second] = documents.map(({ path, digest, loader }) => ({ path, digest, loader }));
    if (first === undefined || second === undefined) throw new Error("two documents are expected");
    expect(isSameDocuments(ledger, [first, second])).toBe(true);
    expect(isSameDocuments(ledger, [second, first])).toBe(true);
    expect(isSameDocuments(ledger, [first])).toBe(false);
    expect(isSameDocuments(ledger, [first, second, { ...first, path: "c.md" }])).toBe(false);
    expect(isSameDocuments(ledger, [first, { ...second, path: "c.md" }])).toBe(false);
    expect(isSameDocuments(ledger, [first, { ...second, digest: digestOf("other") }])).toBe(false);
    expect(isSameDocuments(ledger, [first, { ...second, loader: "text" }])).toBe(false);
  });

  it("embeds every text once, with its headings, without those that are known", () => {
    const texts = planTexts(documents);
    expect([...texts.values()]).toEqual(["A\n\none", "A\n\ntwo", "A\n\nthree"]);
    expect(planBatches(texts, new Map([[digestOf("A\n\ntwo"), 1]]), 10)).toEqual([[[digestOf("A\n\none"), "A\n\none"], [digestOf("A\n\nthree"), "A\n\nthree"]]]);
    expect(planBatches(texts, new Map(), 2).map((batch) => batch.length)).toEqual([2, 1]);
    expect(planBatches(texts, texts, 2)).toEqual([]);
  });
});
