import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/descriptor.ts";
import type { ChunkText } from "../../src/index/chunk.ts";
import type { CutResult } from "../../src/index/cut.ts";
import { estimateIndex } from "../../src/index/estimate.ts";
import { IndexEstimate } from "../../src/index/report.ts";
import type { IndexedDocument } from "../../src/index/schema.ts";
import type { Embedder } from "../../src/ports/embedding.ts";

const embedder: Embedder = {
  identity: { provider: "fake", model: "m", dimensions: 2, normalised: false, documentTask: null, queryTask: null },
  maxBatch: 4, maxBatchTokens: 100, usdPerMillionTokens: null, fusionWeight: 1,
  embed: () => Promise.reject(new Error("asked")),
  check: () => Promise.reject(new Error("asked")),
};

function document(path: string, texts: readonly (readonly [text: string, tokens: number])[]): CutResult {
  const chunks = texts.map(([text, tokens], i): ChunkText => ({ id: `${path}#${i}`, textDigest: digestOf(text), headings: [], tokens, text }));
  return { kind: "document", document: { path, digest: digestOf(path), loader: "markdown@1", language: null, metadata: {}, chunks } };
}
const skip: CutResult = { kind: "skipped", skipped: { path: "empty.md", reason: "is empty", digest: null, loader: "markdown@1" } };
const kept: IndexedDocument = { path: "kept.md", digest: digestOf("kept"), loader: "markdown@1", language: null, metadata: {}, chunks: [1, 2, 3].map((i) => ({ id: `k${i}`, textDigest: digestOf(`kept ${i}`), headings: [], tokens: 50 })) };

interface Options {
  readonly known?: readonly string[];
  readonly price?: number | null;
  readonly told?: number[];
}
async function estimate(results: readonly CutResult[], { known = [], price = 10, told = [] }: Options = {}): Promise<IndexEstimate> {
  const digests = new Set(known.map((text) => digestOf(text)));
  async function* stream(): AsyncGenerator<CutResult> {
    for (const result of results) yield await Promise.resolve(result);
  }
  return estimateIndex(stream(), { name: "docs", kept: [kept], embeddings: { has: (text) => digests.has(text) }, embedder, price, reference: "fake:m", onProgress: (done) => told.push(done), durationMs: () => 7 });
}

describe("an estimate", () => {
  it("counts documents and chunks, kept ones too, and of the texts only those without a vector", async () => {
    const found = await estimate([document("a.md", [["one", 10], ["two", 20]]), skip, document("b.md", [["two", 20], ["known", 40]])], { known: ["known"] });
    expect(found).toEqual({ kind: "estimate", name: "docs", embedder: "fake:m", documents: 3, chunks: 7, toEmbed: { texts: 2, tokens: 30, requests: 1, costUsd: 0.0003 }, durationMs: 7 });
    expect(IndexEstimate.parse(found)).toEqual(found);
  });

  it("counts requests within the embedder's limits", async () => {
    expect((await estimate([document("a.md", Array.from({ length: 9 }, (_, i) => [`t${i}`, 1] as const))])).toEmbed.requests).toBe(3);
    expect((await estimate([document("a.md", [["x", 60], ["y", 60], ["z", 500]])])).toEmbed).toMatchObject({ texts: 3, tokens: 620, requests: 3 });
  });

  it("counts requests anew in each group of documents, and a text only in the first", async () => {
    const texts = Array.from({ length: 1026 }, (_, i) => [`t${i}`, 1] as const);
    expect((await estimate([document("a.md", texts), document("b.md", [["t0", 1], ["new", 1]])])).toEmbed).toMatchObject({ texts: 1027, requests: 258 });
  });

  it("has no cost where the price is not known, and none for nothing", async () => {
    expect((await estimate([document("a.md", [["one", 10]])], { price: null })).toEmbed.costUsd).toBeNull();
    expect((await estimate([], {})).toEmbed).toEqual({ texts: 0, tokens: 0, requests: 0, costUsd: 0 });
  });

  it("tells how many files it has seen, skipped ones too", async () => {
    const told: number[] = [];
    await estimate([skip, document("a.md", [["one", 1]]), skip], { told });
    expect(told).toEqual([1, 2, 3]);
  });
});
