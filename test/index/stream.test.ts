import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/descriptor.ts";
import { TwelveError } from "../../src/core/errors.ts";
import type { ChunkText } from "../../src/index/chunk.ts";
import type { ChunkedDocument, CutRequest, CutResult } from "../../src/index/cut.ts";
import type { Cutters } from "../../src/index/cutters.ts";
import type { DocumentFile } from "../../src/index/documents.ts";
import type { TextEmbedder } from "../../src/index/embed.ts";
import { cutDocuments, digestsOf, documentGroups, embedDocuments } from "../../src/index/stream.ts";
import type { SourceFile } from "../../src/ports/document.ts";

const signal = new AbortController().signal;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function file(path: string, source: Partial<SourceFile> = {}): DocumentFile {
  return { path, loader: "markdown@1", loaderName: "markdown", source: { path, sizeBytes: 100, read: async () => bytesOf(`text of ${path}`), ...source } };
}
const many = (count: number, source: (i: number) => Partial<SourceFile> = () => ({})): readonly DocumentFile[] => Array.from({ length: count }, (_, i) => file(`${i}.md`, source(i)));
const unreadable = (path: string): SourceFile["read"] => () => Promise.reject(new TwelveError("SOURCE_INVALID", `${path} cannot be read: EACCES`));

/** Cutters that say what they were given; `during` runs while a call is under way. */
function fakeCutters({ during = async () => {} }: { readonly during?: () => Promise<void> } = {}): { readonly cutters: Cutters; readonly given: (readonly CutRequest[])[]; readonly mostAtOnce: () => number } {
  const given: (readonly CutRequest[])[] = [];
  let atOnce = 0;
  let mostAtOnce = 0;
  const result = ({ path, bytes, file: local }: CutRequest): CutResult => ({ kind: "skipped", skipped: { path, reason: `was given as ${local ?? new TextDecoder().decode(bytes)}`, digest: null, loader: null } });
  const cutters: Cutters = {
    width: 3,
    digest: async (files) => files.map((path) => (path.includes("gone") ? null : digestOf(path))),
    async cut(requests) {
      given.push(requests);
      mostAtOnce = Math.max(mostAtOnce, ++atOnce);
      await during();
      atOnce--;
      return requests.map(result);
    },
    close: async () => {},
  };
  return { cutters, given, mostAtOnce: () => mostAtOnce };
}
const told = (results: readonly CutResult[]): readonly string[] => results.map((result) => (result.kind === "skipped" ? `${result.skipped.path} ${result.skipped.reason}` : result.document.path));

describe("the digests of files", () => {
  it("are taken of local files by their readers, and of everything else from its content", async () => {
    const metadata = { team: "docs" };
    const files = [file("a.md", { file: "/a.md" }), file("gone.md", { file: "/gone.md" }), file("s3://b/c.md"), file("feed.jsonl#1", { metadata }), file("d.md", { file: "/d.md", metadata })];
    const digests = await digestsOf(files, new Map(), { cutters: fakeCutters().cutters, signal });
    expect([...digests.keys()].sort()).toEqual(["a.md", "d.md", "feed.jsonl#1", "s3://b/c.md"]);
    expect([digests.get("a.md"), digests.get("s3://b/c.md")]).toEqual([digestOf("/a.md"), digestOf("text of s3://b/c.md")]);
    // Metadata beside the text is part of the document.
    expect(digests.get("feed.jsonl#1")).not.toBe(digestOf("text of feed.jsonl#1"));
    expect(digests.get("feed.jsonl#1")).not.toBe((await digestsOf([file("feed.jsonl#1", { metadata: { team: "other" } })], new Map(), { cutters: fakeCutters().cutters, signal })).get("feed.jsonl#1"));
  });

  it("leave out what cannot be read, and pass on what happens to the source itself", async () => {
    expect(await digestsOf([file("a.md", { read: unreadable("a.md") })], new Map(), { cutters: fakeCutters().cutters, signal })).toEqual(new Map());
    const failure = new TwelveError("SERVICE_FAILED", "the bucket is gone");
    await expect(digestsOf([file("a.md", { read: () => Promise.reject(failure) })], new Map(), { cutters: fakeCutters().cutters, signal })).rejects.toBe(failure);
  });

  it("are taken of any number of files", async () => {
    expect((await digestsOf(many(1000, (i) => ({ file: `/${i}.md` })), new Map(), { cutters: fakeCutters().cutters, signal })).size).toBe(1000);
  });
});

describe("cutting documents", () => {
  it("gives one result for each file, in order, whatever batches they came in", async () => {
    const { cutters, given } = fakeCutters();
    const results = await Array.fromAsync(cutDocuments(many(100, (i) => (i % 3 === 0 ? { file: `/${i}.md` } : {})), cutters, signal));
    expect(told(results)).toEqual(Array.from({ length: 100 }, (_, i) => `${i}.md was given as ${i % 3 === 0 ? `/${i}.md` : `text of ${i}.md`}`));
    expect(given.map(({ length }) => length)).toEqual([64, 36]);
  });

  it("puts large files into small batches", async () => {
    const { cutters, given } = fakeCutters();
    await Array.fromAsync(cutDocuments(many(6, () => ({ sizeBytes: 600_000 })), cutters, signal));
    expect(given.map(({ length }) => length)).toEqual([2, 2, 2]);
  });

  it("keeps the readers busy, and no more of them than there are", async () => {
    const { cutters, mostAtOnce } = fakeCutters({ during: () => new Promise((resolve) => setImmediate(resolve)) });
    await Array.fromAsync(cutDocuments(many(400), cutters, signal));
    expect(mostAtOnce()).toBe(3);
  });

  it("gives metadata on, and reads itself where the source names the loader", async () => {
    const { cutters, given } = fakeCutters();
    await Array.fromAsync(cutDocuments([file("feed.jsonl#1", { file: "/feed.jsonl", loader: "markdown", metadata: { a: 1 } })], cutters, signal));
    expect(given).toEqual([[{ path: "feed.jsonl#1", loader: "markdown", metadata: { a: 1 }, bytes: bytesOf("text of feed.jsonl#1") }]]);
  });

  it("skips what its source cannot read, in its place, with the reason after the path", async () => {
    const files = many(3).with(1, file("1.md", { read: unreadable("1.md") }));
    expect(told(await Array.fromAsync(cutDocuments(files, fakeCutters().cutters, signal)))).toEqual(["0.md was given as text of 0.md", "1.md cannot be read: EACCES", "2.md was given as text of 2.md"]);
  });

  it("ends with what has happened to the source itself", async () => {
    const failure = new TwelveError("SERVICE_FAILED", "the bucket is gone");
    await expect(Array.fromAsync(cutDocuments(many(3).with(1, file("1.md", { read: () => Promise.reject(failure) })), fakeCutters().cutters, signal))).rejects.toBe(failure);
  });

  it("ends when it is interrupted, and takes what that cut short for no skipped file", async () => {
    const controller = new AbortController();
    const reason = new Error("interrupted");
    const { cutters } = fakeCutters({ during: async () => controller.abort(reason) });
    await expect(Array.fromAsync(cutDocuments(many(3), cutters, controller.signal))).rejects.toBe(reason);
  });
});

function document(path: string, texts: readonly string[], facts: Partial<ChunkedDocument> = {}): ChunkedDocument {
  const chunks = texts.map((text, i): ChunkText => ({ id: `${path}#${i}`, textDigest: digestOf(text), headings: ["A", "B"], tokens: 3, text }));
  return { path, digest: digestOf(path), loader: "markdown@1", language: "en", metadata: { team: "docs" }, chunks, ...facts };
}
async function* streamOf<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  for (const item of items) yield await Promise.resolve(item);
}

describe("groups of documents", () => {
  it("have texts enough for several requests, and every document is in one", async () => {
    const documents = Array.from({ length: 100 }, (_, i) => document(`${i}.md`, Array.from({ length: 30 }, (__, j) => `${i} ${j}`)));
    const groups = await Array.fromAsync(documentGroups(streamOf(documents)));
    expect(groups.map(({ length }) => length)).toEqual([35, 35, 30]);
    expect(groups.flat()).toEqual(documents);
  });

  it("are none without documents, and one for a document of any size", async () => {
    expect(await Array.fromAsync(documentGroups(streamOf([])))).toEqual([]);
    const large = document("a.md", Array.from({ length: 5000 }, (_, i) => `${i}`));
    expect(await Array.fromAsync(documentGroups(streamOf([large])))).toEqual([[large]]);
  });
});

describe("the rows of the engine", () => {
  const texts: Pick<TextEmbedder, "vectorsOf"> = { vectorsOf: async (wanted) => new Map([...wanted.keys()].map((digest) => [digest, Float32Array.of(digest.charCodeAt(10))])) };

  it("hold everything of a chunk and what its document says about itself", async () => {
    const [paged] = [document("b.pdf", ["two"])].map((each) => ({ ...each, language: null, chunks: each.chunks.map((chunk) => ({ ...chunk, page: 4, headings: [] })) }));
    const [group = []] = await Array.fromAsync(embedDocuments(streamOf([document("a.md", ["one"]), ...(paged === undefined ? [] : [paged])]), texts));
    expect(group).toEqual([
      { id: "a.md#0", document: "a.md", headings: "A > B", text: "one", language: "en", metadata: { team: "docs", language: "en" }, vector: Float32Array.of(digestOf("one").charCodeAt(10)) },
      { id: "b.pdf#0", document: "b.pdf", headings: "", text: "two", language: null, metadata: { team: "docs", page: 4 }, vector: Float32Array.of(digestOf("two").charCodeAt(10)) },
    ]);
  });

  it("come in the order of the documents, with a few groups ahead of the engine and no more", async () => {
    let cut = 0;
    async function* documents(): AsyncGenerator<ChunkedDocument> {
      for (let i = 0; i < 40; i++) {
        cut++;
        yield await Promise.resolve(document(`${i}.md`, Array.from({ length: 1024 }, (_, j) => `${i} ${j}`)));
      }
    }
    const rows = embedDocuments(documents(), texts);
    const first = await rows.next();
    expect(first.value?.[0]?.id).toBe("0.md#0");
    await new Promise((resolve) => setImmediate(resolve));
    // Memory does not grow with the number of documents.
    expect(cut).toBeLessThanOrEqual(6);
    const rest = await Array.fromAsync(rows);
    expect(rest.map((group) => group[0]?.document)).toEqual(Array.from({ length: 39 }, (_, i) => `${i + 1}.md`));
  });

  it("are never given without a vector", async () => {
    await expect(Array.fromAsync(embedDocuments(streamOf([document("a.md", ["one"])]), { vectorsOf: async () => new Map() }))).rejects.toThrow("Chunk a.md#0 of a.md has no vector");
  });
});
