import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/descriptor.ts";
import type { ChunkText } from "../../src/index/chunk.ts";
import { chunkerIdentity, countTexts, planBatches, planChanges, planIndex, planLedger, planTexts, type TextToEmbed } from "../../src/index/plan.ts";
import type { IndexedDocument, Ledger, SkippedDocument } from "../../src/index/schema.ts";

function document(path: string, texts: readonly string[], facts: Partial<IndexedDocument> = {}): IndexedDocument {
  const chunks = texts.map((text, i) => ({ id: `${path}#${i}`, textDigest: digestOf(text), headings: ["A"], tokens: 3 }));
  return { path, digest: digestOf(texts.join()), loader: "markdown@1", language: "en", metadata: {}, chunks, ...facts };
}
const skip = (path: string, facts: Partial<SkippedDocument> = {}): SkippedDocument => ({ path, reason: "is empty", digest: digestOf(path), loader: "markdown@1", ...facts });
const file = (path: string, loader = "markdown@1"): { readonly path: string; readonly loader: string } => ({ path, loader });
const [a, b] = [document("a.md", ["two", "three"]), document("b.md", ["one", "two"])];
const digestsOf = (...known: readonly { readonly path: string; readonly digest: ReturnType<typeof digestOf> | null }[]): Map<string, ReturnType<typeof digestOf>> =>
  new Map(known.flatMap(({ path, digest }) => (digest === null ? [] : [[path, digest] as const])));

describe("what changes between two indexes", () => {
  const empty = skip("empty.md");
  const previous: Ledger = planLedger([a, b], [empty]);
  const now = digestsOf(a, b, empty);

  it("is everything when there was none", () => {
    const files = [file("b.md"), file("a.md")];
    expect(planChanges(undefined, files, new Map())).toEqual({ kept: [], keptSkips: [], toRead: files, dropped: new Set() });
  });

  it("is nothing when all files are as they were, listed in any order", () => {
    for (const files of [[file("a.md"), file("b.md"), file("empty.md")], [file("empty.md"), file("b.md"), file("a.md")]]) {
      const { kept, keptSkips, toRead, dropped } = planChanges(previous, files, now);
      expect([kept.map(({ path }) => path).sort(), keptSkips, toRead, [...dropped]]).toEqual([["a.md", "b.md"], [empty], [], []]);
    }
  });

  it("is a document that was edited: read again, and all its chunks made anew", () => {
    const { kept, toRead, dropped } = planChanges(previous, [file("a.md"), file("b.md"), file("empty.md")], new Map(now).set("b.md", digestOf("edited")));
    expect([kept, toRead, [...dropped]]).toEqual([[a], [file("b.md")], ["b.md#0", "b.md#1"]]);
  });

  it("is a document that is gone: nothing to read, its chunks left out", () => {
    const { kept, toRead, dropped } = planChanges(previous, [file("a.md"), file("empty.md")], now);
    expect([kept, toRead, [...dropped]]).toEqual([[a], [], ["b.md#0", "b.md#1"]]);
  });

  it("is a document under another name, which is another document", () => {
    const { kept, toRead, dropped } = planChanges(previous, [file("a.md"), file("c.md"), file("empty.md")], now);
    expect([kept, toRead, [...dropped]]).toEqual([[a], [file("c.md")], ["b.md#0", "b.md#1"]]);
  });

  it.each([
    ["another loader reads it", [file("a.md"), file("b.md", "markdown@2"), file("empty.md")], now],
    ["its bytes could not be read now", [file("a.md"), file("b.md"), file("empty.md")], digestsOf(a, empty)],
  ])("is a document when %s", (_, files, digests) => {
    const { kept, toRead, dropped } = planChanges(previous, files, digests);
    expect([kept, toRead.map(({ path }) => path), [...dropped]]).toEqual([[a], ["b.md"], ["b.md#0", "b.md#1"]]);
  });

  it("is a skipped file as soon as its bytes or its loader are others, or when it could never be read", () => {
    const files = [file("a.md"), file("b.md"), file("empty.md")];
    expect(planChanges(previous, files, new Map(now).set("empty.md", digestOf("text now"))).toRead).toEqual([file("empty.md")]);
    expect(planChanges(previous, files.with(2, file("empty.md", "markdown@2")), now).toRead).toEqual([file("empty.md", "markdown@2")]);
    const unreadable = planLedger([a, b], [skip("empty.md", { digest: null })]);
    expect(planChanges(unreadable, files, now)).toMatchObject({ toRead: [file("empty.md")], keptSkips: [] });
  });

  it("keeps no skip of a file that is gone", () => {
    expect(planChanges(previous, [file("a.md"), file("b.md")], now)).toMatchObject({ keptSkips: [], toRead: [], dropped: new Set() });
  });
});

describe("the ledger", () => {
  it("is the same in whatever order documents came", () => {
    const skips = [skip("z.md"), skip("c.md")];
    expect(planLedger([b, a], skips)).toEqual({ version: 2, documents: [a, b], skipped: skips.toReversed() });
    expect(planLedger([a, b], skips.toReversed())).toEqual(planLedger([b, a], skips));
  });

  it("is sorted by code unit, not by what a machine's language makes of it", () => {
    const paths = ["b.md", "B.md", "ä.md", "a-1.md", "a.md", "a/1.md"];
    expect(planLedger(paths.map((path) => document(path, ["x"])), []).documents.map(({ path }) => path)).toEqual(["B.md", "a-1.md", "a.md", "a/1.md", "b.md", "ä.md"]);
  });

  it("gives the index its numbers", () => {
    const embedder = { provider: "hash", model: "m", dimensions: 8, normalised: true, documentTask: null, queryTask: null };
    const ledger = { mediaType: "x", digest: digestOf(""), size: 0 };
    const facts = { app: "app", name: "docs", embedder, chunker: chunkerIdentity() };
    expect(planIndex(facts, planLedger([a, b], []), ledger)).toEqual({ version: 2, ...facts, documents: 2, chunks: 4, ledger });
    expect(countTexts([a, b])).toBe(3);
  });
});

describe("the chunker's identity", () => {
  it("has chunks of 400 tokens with 50 in common when nobody says otherwise", () => {
    expect(chunkerIdentity()).toEqual({ name: "structure", version: 2, tokenizer: "cl100k_base", maxTokens: 400, overlapTokens: 50 });
    expect(chunkerIdentity({ maxTokens: 100 })).toMatchObject({ maxTokens: 100, overlapTokens: 50 });
    expect(chunkerIdentity({ overlapTokens: 0, maxTokens: undefined })).toMatchObject({ maxTokens: 400, overlapTokens: 0 });
  });
});

describe("texts to embed", () => {
  const chunk = (text: string, headings: string[] = ["A", "B"]): ChunkText => ({ id: text, textDigest: digestOf(`${headings.join(" > ")}\n\n${text}`), headings, tokens: 10, text });

  it("are everything that is searched: headings and text, each once", () => {
    const texts = planTexts([chunk("one"), chunk("two"), chunk("one"), chunk("three", [])]);
    expect([...texts.values()].map(({ text }) => text)).toEqual(["A > B\n\none", "A > B\n\ntwo", "three"]);
    for (const [digest, text] of texts) expect(text.digest).toBe(digest);
  });
});

describe("batches", () => {
  const texts = (...tokens: readonly number[]): Map<TextToEmbed["digest"], TextToEmbed> => new Map(tokens.map((each, i) => [digestOf(`t${i}`), { digest: digestOf(`t${i}`), text: `t${i}`, tokens: each }]));
  const sizes = (...[all, limits]: Parameters<typeof planBatches>): readonly (readonly [number, number])[] => planBatches(all, limits).map((batch) => [batch.texts.length, batch.tokens]);

  it("are none for no text", () => {
    expect(planBatches(new Map(), { maxBatch: 10 })).toEqual([]);
  });

  it("keep the order, as many texts to a batch as the embedder takes", () => {
    const batches = planBatches(texts(1, 2, 3, 4, 5), { maxBatch: 2 });
    expect(batches.map((batch) => batch.texts.map(({ text }) => text))).toEqual([["t0", "t1"], ["t2", "t3"], ["t4"]]);
    expect(batches.map(({ tokens }) => tokens)).toEqual([3, 7, 5]);
  });

  it("stay within the embedder's tokens, to the token", () => {
    expect(sizes(texts(40, 60, 1, 99, 100, 1), { maxBatch: 10, maxBatchTokens: 100 })).toEqual([[2, 100], [2, 100], [1, 100], [1, 1]]);
  });

  it("send a text above the limit alone, and the next ones without it", () => {
    expect(sizes(texts(10, 500, 10, 20), { maxBatch: 10, maxBatchTokens: 100 })).toEqual([[1, 10], [1, 500], [2, 30]]);
  });

  it("have no more than 256 texts whatever an embedder takes", () => {
    expect(sizes(texts(...Array.from({ length: 600 }, () => 1)), { maxBatch: 2048 })).toEqual([[256, 256], [256, 256], [88, 88]]);
  });
});
