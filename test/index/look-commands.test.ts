import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../../src/adapters/registry.ts";
import { movePointer } from "../../src/artifact/pointer.ts";
import { refs } from "../../src/artifact/refs.ts";
import { hexOf } from "../../src/core/descriptor.ts";
import index from "../../src/index/command.ts";
import diff from "../../src/index/diff-command.ts";
import list from "../../src/index/list-command.ts";
import { readIndex } from "../../src/index/read.ts";
import show from "../../src/index/show-command.ts";
import verify from "../../src/index/verify-command.ts";
import type { Store } from "../../src/ports/store.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { handbook } from "../helpers/handbook.ts";

let dir: string;
let store: Store;
/** Digests of two indexes: with all documents, then with one deleted and one section edited. */
let first: string;
let second: string;

async function make(input: Parameters<typeof index.input.parse>[0] = {}): Promise<string> {
  const output = await index.run(index.input.parse(input), await testContext({ dir, store }));
  if (output.kind !== "report") throw new Error("An index was to be made");
  return hexOf(output.digest);
}

beforeEach(async () => {
  dir = await handbook(await temporaryFolder());
  store = await openStore("memory:", { dir, env: {} });
  first = await make();
  await rm(join(dir, "docs/ja.md"));
  const file = join(dir, "docs/shipping.md");
  await writeFile(file, (await readFile(file, "utf8")).replace("confirmation e-mail", "e-mail that we send"));
  second = await make();
});

describe("twelve index list", () => {
  const run = async (name?: string): Promise<Awaited<ReturnType<typeof list.run>>> => list.run(list.input.parse({ name }), await testContext({ dir, store }));

  it("names every index, the latest marked, with what it holds", async () => {
    const { app, indexes } = await run();
    expect(app).toBe("handbook");
    expect(indexes.toSorted((left, right) => (right.documents ?? 0) - (left.documents ?? 0))).toEqual([
      { name: "docs", digest: `sha256:${first}`, isLatest: false, documents: 5, chunks: 10, embedder: "hash:words-1 (256 dimensions)", sizeBytes: expect.any(Number), problem: null },
      { name: "docs", digest: `sha256:${second}`, isLatest: true, documents: 4, chunks: 9, embedder: "hash:words-1 (256 dimensions)", sizeBytes: expect.any(Number), problem: null },
    ]);
    expect(list.render(await run("docs"), {})).toContain(`${second.slice(0, 12)}  latest  4          9`);
  });

  it("says of an index in an older format that it is not read", async () => {
    const old = await store.blobs.write(Buffer.from('{"version":1}'), "application/vnd.twelve.index.v1+json");
    await movePointer(store, refs.index("handbook", "old", old.digest), { index: old });
    const [row] = (await run("old")).indexes;
    expect(row).toMatchObject({ name: "old", documents: null, problem: `The index ${old.digest} was written in format 1, which this version of twelve does not read` });
  });

  it("refuses a name that no index has, and shows how to begin where there is none", async () => {
    await expect(run("dosc")).rejects.toMatchObject({ code: "INDEX_NOT_FOUND", message: expect.stringContaining('Did you mean "docs"?') });
    expect(list.render({ app: "handbook", indexes: [] }, {})).toBe("handbook has no index yet. Make one: `twelve index`");
  });
});

describe("twelve index show", () => {
  const run = async (wanted?: string, documents = false): Promise<Awaited<ReturnType<typeof show.run>>> => show.run(show.input.parse({ index: wanted, documents }), await testContext({ dir, store }));

  it("takes a name, the beginning of a digest, both, or the only index", async () => {
    for (const wanted of [undefined, "docs", second.slice(0, 8), `sha256:${second}`, `docs@${second.slice(0, 8)}`]) expect((await run(wanted)).digest).toBe(`sha256:${second}`);
    expect((await run(first.slice(0, 8))).index.documents).toBe(5);
  });

  it.each([
    ["dosc", 'Did you mean "docs"?'], ["abc", "There is no index"], ["0000", "begins with 0000"], ["docs@zz", "There is no index"], ["other@1234", "There is no index"],
  ])("refuses %s", async (wanted, message) => {
    await expect(run(wanted)).rejects.toMatchObject({ code: "INDEX_NOT_FOUND", message: expect.stringContaining(message) });
  });

  it("counts loaders, languages and tokens, and lists documents when asked", async () => {
    const { loaders, languages, tokens, documents } = await run("docs", true);
    expect(Object.values(loaders).reduce((sum, count) => sum + count, 0)).toBe(4);
    expect(Object.values(languages).reduce((sum, count) => sum + count, 0)).toBe(4);
    expect(tokens.longest).toBeGreaterThanOrEqual(tokens.median);
    expect(documents?.map(({ path, chunks }) => [path, chunks])).toEqual([["docs/api.mdx", 2], ["docs/deep/hours.txt", 1], ["docs/refunds.md", 3], ["docs/shipping.md", 3]]);
  });
});

describe("twelve index diff", () => {
  const run = async (from: string, to: string): Promise<Awaited<ReturnType<typeof diff.run>>> => diff.run(diff.input.parse({ from, to }), await testContext({ dir, store }));

  it("names documents that went, came and changed, with their chunks", async () => {
    expect(await run(first.slice(0, 8), "docs")).toMatchObject({
      settings: [], added: [], removed: ["docs/ja.md"], changed: [{ path: "docs/shipping.md", what: "content", chunks: { added: 1, removed: 1, kept: 2 } }], unchanged: 3,
    });
    expect(await run("docs", first.slice(0, 8))).toMatchObject({ added: ["docs/ja.md"], removed: [] });
    expect(diff.render(await run("docs", "docs"), { from: "docs", to: "docs" })).toMatch(/The same documents, chunks and settings$/);
  });

  it("names what changed in embedder and chunker", async () => {
    await writeFile(join(dir, "twelve.yaml"), "name: handbook\nindexes:\n  docs: { source: [docs], embedder: \"hash:64\", chunk: { maxTokens: 16, overlapTokens: 0 } }\n");
    const third = await make();
    const { settings, changed } = await run(second.slice(0, 8), third.slice(0, 8));
    expect(settings).toEqual(expect.arrayContaining([{ setting: "embedder.dimensions", from: "256", to: "64" }, { setting: "chunker.maxTokens", from: "120", to: "16" }]));
    expect(changed.every(({ what }) => what === "chunks")).toBe(true);
  });
});

describe("twelve index verify", () => {
  const run = async (wanted?: string): Promise<Awaited<ReturnType<typeof verify.run>>> => verify.run(verify.input.parse({ index: wanted }), await testContext({ dir, store }));

  it("is content with an index that holds what its ledger lists", async () => {
    const report = await run();
    expect(report).toMatchObject({ digest: `sha256:${second}`, chunks: { ledger: 9, held: 9 }, missing: [], unknown: [] });
    expect(verify.verdict?.(report)).toBeUndefined();
  });

  it("names chunks that are missing and those that are strangers, and ends with 100", async () => {
    const [older, newer] = await Promise.all([first, second].map((hex) => readIndex(store, "handbook", "docs", hex)));
    const data = JSON.parse((await store.refs.read(refs.indexData(older?.descriptor.digest ?? `sha256:${first}`)))?.value ?? "null") as object;
    await movePointer(store, refs.indexData(newer?.descriptor.digest ?? `sha256:${second}`), data);
    const report = await run();
    expect(report.chunks).toEqual({ ledger: 9, held: 10 });
    expect(report.missing).toEqual([{ id: expect.any(String), document: "docs/shipping.md" }]);
    expect(report.unknown).toHaveLength(2);
    expect(verify.verdict?.(report)).toMatchObject({ exit: 100, message: expect.stringContaining("twelve index --rebuild") });
  });
});
