import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openSource } from "../../../src/adapters/registry.ts";
import { openSource as openFeed } from "../../../src/adapters/source/feed/adapter.ts";
import { type FeedBytes, listFeed } from "../../../src/adapters/source/feed/list.ts";
import type { DocumentSource, SourceFile, SourceSkip } from "../../../src/ports/document.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { describeSource, listAll, textOf } from "../../ports/source.contract.ts";

describeSource("feed", {
  async open(documents) {
    const lines = Object.entries(documents).map(([id, text]) => `${JSON.stringify({ id, text })}\n`);
    return { source: await feedOf(lines.join("")), pathOf: (name) => `data/feed.jsonl#${name}` };
  },
  openMissing: async () => openSource("feed.jsonl", { dir: await temporaryFolder(), env: {} }),
});

async function feedOf(content: string | Uint8Array, name = "data/feed.jsonl"): Promise<DocumentSource> {
  const dir = await temporaryFolder();
  await mkdir(join(dir, "data"));
  await writeFile(join(dir, name), content);
  return openSource(name, { dir, env: {} });
}

async function entriesOf(...lines: readonly unknown[]): Promise<Awaited<ReturnType<typeof listAll>>> {
  return listAll(await feedOf(lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n")));
}

async function skipsOf(...lines: readonly unknown[]): Promise<readonly SourceSkip[]> {
  return (await entriesOf(...lines)).skips;
}

describe("a feed as a source", () => {
  it("gives text, metadata, title and format of each line", async () => {
    const { files, skips } = await entriesOf(
      { id: "a", text: "# One", format: "markdown", title: "First", metadata: { lang: "en", year: 2024, tags: ["x", 1, true] } },
      { id: 7, text: "two", title: null, metadata: null, format: null },
    );
    expect(files.map(({ path, loader, metadata }) => ({ path, loader, metadata }))).toEqual([
      { path: "data/feed.jsonl#a", loader: "markdown", metadata: { title: "First", lang: "en", year: 2024, tags: ["x", 1, true] } },
      { path: "data/feed.jsonl#7", loader: "text", metadata: {} },
    ]);
    expect(await Promise.all(files.map(textOf))).toEqual(["# One", "two"]);
    expect(skips).toEqual([]);
  });

  it("takes further keys for metadata, flat, and lets `metadata` win", async () => {
    const line = '{"id":"a","text":"t","author":{"name":"Ada","born":1815,"gone":null},"parts":[{"n":1},{"n":2}],"lang":"de","none":null,"__proto__":{"x":1},"half":"\\ud800","metadata":{"lang":"en"}}';
    const [file] = (await entriesOf(line)).files;
    expect(file?.metadata).toEqual({ "author.name": "Ada", "author.born": 1815, "parts.0.n": 1, "parts.1.n": 2, lang: "en", half: "\ufffd" });
  });

  it("reads lines with CR LF, a byte order mark, blank lines between and none at the end", async () => {
    const { files, skips } = await listAll(await feedOf('\ufeff{"id":"a","text":"eins"}\r\n\r\n{"id":"b","text":"zwei\\r\\n"}\n   \n{"id":"c","text":"drei 🙂"}'));
    expect(await Promise.all(files.map(textOf))).toEqual(["eins", "zwei\r\n", "drei 🙂"]);
    expect(skips).toEqual([]);
  });

  it("skips each line that is no document, with its number and the reason", async () => {
    expect(await skipsOf(
      { id: "a", text: "one" }, "{not json", '"text"', "[1]", { text: "no id" }, { id: "", text: "t" }, { id: 1.5, text: "t" }, { id: "b" }, { id: "b", text: 5 }, { id: "b", text: " \n" },
      { id: "a", text: "again" }, { id: "b", text: "t", format: "pdf" }, { id: "b", text: "t", title: 1 }, { id: "b", text: "t", metadata: [1] }, { id: "b\n", text: "t" }, { id: "b".repeat(1025), text: "t" },
      `{"id":"b","text":"t","x":${"[{}".repeat(5)}${"]".repeat(5)}}`, `{"id":"b","text":"t","x":${'{"y":'.repeat(20)}1${"}".repeat(20)}}`,
    )).toEqual([
      ["2", "is not JSON"], ["3", 'is not a JSON object such as {"id": "1", "text": "…"}'], ["4", 'is not a JSON object such as {"id": "1", "text": "…"}'], ["5", "has no id"],
      ["6", "has an id that is neither a string of 1 to 1024 characters nor a whole number"], ["7", "has an id that is neither a string of 1 to 1024 characters nor a whole number"],
      ["8", "has no text"], ["9", "has a text that is not a string"], ["10", 'has no text (id "b")'], ["11", 'has the id "a" of line 1'], ["12", "has a format other than text and markdown"],
      ["13", "has a title that is not a string"], ["14", "has a metadata that is not an object"], ["15", "has an id with control characters"],
      ["16", "has an id that is neither a string of 1 to 1024 characters nor a whole number"], ["17", "is not JSON"], ["18", 'has metadata that is nested too deep (id "b")'],
    ].map(([line, reason]) => ({ path: `data/feed.jsonl:${line}`, reason })));
  });

  it("skips a line that is not UTF-8, and goes on", async () => {
    const { files, skips } = await listAll(await feedOf(Buffer.concat([Buffer.from('{"id":"a","text":"Caf'), Buffer.from([0xe9]), Buffer.from('"}\n{"id":"b","text":"x"}\n')])));
    expect([files.map(({ path }) => path), skips]).toEqual([["data/feed.jsonl#b"], [{ path: "data/feed.jsonl:1", reason: "is not UTF-8" }]]);
  });

  it("refuses a JSON array, with the way to make a feed of it", async () => {
    const failure = { code: "SOURCE_INVALID", message: "The feed data/feed.jsonl is a JSON array. A feed has one JSON object on each line", fix: expect.stringContaining("jq") };
    await expect(entriesOf("[", '{"id":"a","text":"t"}', "]")).rejects.toMatchObject(failure);
    await expect(entriesOf([{ id: "a", text: "t" }])).rejects.toMatchObject(failure);
  });

  it("says when a line has changed since it was listed", async () => {
    const dir = await temporaryFolder();
    const write = async (id: string): Promise<void> => writeFile(join(dir, "feed.ndjson"), JSON.stringify({ id, text: "t" }));
    await write("a");
    const { files } = await listAll(openFeed("feed.ndjson", dir, { heldBytes: 0 }));
    await appendFile(join(dir, "feed.ndjson"), '\n{"id":"b","text":"t"}\n');
    expect(await textOf(files[0])).toBe("t");
    await write("b");
    await expect(files[0]?.read()).rejects.toMatchObject({ code: "SOURCE_INVALID", message: "feed.ndjson#a cannot be read: the feed changed after it was listed" });
  });

  it("is a file, not a folder with such a name; a slash at the end makes it one", async () => {
    const dir = await temporaryFolder();
    await mkdir(join(dir, "docs.jsonl"));
    await expect(listAll(await openSource("docs.jsonl", { dir, env: {} }))).rejects.toMatchObject({ code: "SOURCE_INVALID", message: expect.stringContaining("is not a file") });
    expect(await listAll(await openSource("docs.jsonl/", { dir, env: {} }))).toEqual({ files: [], skips: [] });
  });
});

describe("the memory of a feed", () => {
  const lineOf = (id: number, size: number): Uint8Array => Buffer.from(`${JSON.stringify({ id, text: "x".repeat(size) })}\n`);

  async function listBytes(chunks: readonly Uint8Array[], limits: Pick<FeedBytes, "heldBytes" | "maxLineBytes">): Promise<{ readonly files: readonly SourceFile[]; readonly skips: readonly SourceSkip[]; readonly reads: readonly string[] }> {
    const all = Buffer.concat(chunks);
    const reads: string[] = [];
    const feed: FeedBytes = {
      path: "feed.jsonl",
      ...limits,
      async *open() {
        yield* chunks;
      },
      async readAt({ offset, sizeBytes }) {
        reads.push(`${offset}+${sizeBytes}`);
        return all.subarray(offset, offset + sizeBytes);
      },
    };
    const files: SourceFile[] = [];
    const skips: SourceSkip[] = [];
    for await (const found of listFeed(feed, () => true)) {
      if ("reason" in found) skips.push(found);
      else files.push(found);
    }
    return { files, skips, reads };
  }

  it("finds its lines however the bytes are cut", async () => {
    const all = Buffer.concat([lineOf(1, 10), lineOf(2, 0), lineOf(3, 20)]);
    for (const size of [1, 2, 7, 25, 1000]) {
      const chunks = Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.subarray(i * size, (i + 1) * size));
      const { files } = await listBytes(chunks, { heldBytes: 0, maxLineBytes: 1000 });
      expect(await Promise.all(files.map(textOf))).toEqual(["x".repeat(10), "x".repeat(20)]);
    }
  });

  it("does not hold a line that is too long, and goes on behind it", async () => {
    const { files, skips } = await listBytes([lineOf(1, 10), lineOf(2, 3_000_000), lineOf(3, 10)], { heldBytes: 0, maxLineBytes: 1_048_576 });
    expect(files.map(({ path }) => path)).toEqual(["feed.jsonl#1", "feed.jsonl#3"]);
    expect(skips).toEqual([{ path: "feed.jsonl:2", reason: "has 2.9 MB; a line may have 1 MB" }]);
    expect(await Promise.all(files.map(textOf))).toEqual(["x".repeat(10), "x".repeat(10)]);
  });

  it("holds texts up to its limit and reads the others where they are", async () => {
    const { files, reads } = await listBytes([lineOf(1, 10), lineOf(2, 60), lineOf(3, 50), lineOf(4, 30)], { heldBytes: 100, maxLineBytes: 1000 });
    expect((await Promise.all(files.map(textOf))).map((text) => text.length)).toEqual([10, 60, 50, 30]);
    expect(reads).toEqual(["108+68"]);
  });
});
