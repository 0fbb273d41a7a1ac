import { mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { openEmbedder, openStore, openVectors } from "../../src/adapters/registry.ts";
import { readDocument } from "../../src/artifact/document.ts";
import { refs } from "../../src/artifact/refs.ts";
import command from "../../src/index/command.ts";
import { openIndexData, readIndex } from "../../src/index/read.ts";
import { type Ledger, ledgerKind } from "../../src/index/schema.ts";
import type { Context } from "../../src/ports/context.ts";
import type { Embedder } from "../../src/ports/embedding.ts";
import type { Store } from "../../src/ports/store.ts";
import type { VectorHit } from "../../src/ports/vectors.ts";
import { temporaryFolder, testContext, type TestContext } from "../helpers/context.ts";
import { handbook } from "../helpers/handbook.ts";

let dir: string;
let store: Store;
beforeEach(async () => {
  dir = await handbook(await temporaryFolder());
  store = await openStore("memory:", { dir, env: {} });
});

type Output = Awaited<ReturnType<typeof command.run>>;
type Input = Parameters<typeof command.input.parse>[0];

async function index(input: Input = {}, changes: Partial<Context> = {}): Promise<Output & { readonly told: TestContext["told"] }> {
  const context = await testContext({ dir, store });
  return { ...(await command.run(command.input.parse(input), { ...context, ...changes })), told: context.told };
}
/** The hash embedder, counting its texts; `fail` may throw before a call is answered. */
function counting(fail: (call: number) => void = () => {}): { readonly changes: Partial<Context>; readonly asked: string[] } {
  const asked: string[] = [];
  let calls = 0;
  const openCounting = async (reference: string): Promise<Embedder> => {
    const embedder = await openEmbedder(reference, { dir, env: {} });
    const embed: Embedder["embed"] = (texts, task) => {
      fail(++calls);
      asked.push(...texts);
      return embedder.embed(texts, task);
    };
    return { ...embedder, maxBatch: 4, embed };
  };
  return { changes: { openEmbedder: openCounting }, asked };
}
async function ledger(): Promise<Ledger> {
  return readDocument(store, ledgerKind, (await readIndex(store, "handbook", "docs")).index.ledger);
}
async function search(text: string): Promise<readonly VectorHit[]> {
  const { descriptor, index: { embedder } } = await readIndex(store, "handbook", "docs");
  const { folder } = await openIndexData(store, descriptor, dir);
  const opened = await (await openVectors("lance:", { dir, env: {} })).open(folder);
  const [vector = new Float32Array()] = await (await openEmbedder(`hash:${embedder.dimensions}`, { dir, env: {} })).embed([text], "query");
  return opened.search({ mode: "hybrid", text, vector, topK: 3 }).finally(() => opened.close());
}
async function storedBlobs(): Promise<number> {
  let count = 0;
  for await (const _ of store.blobs.list()) count++;
  return count;
}

describe("twelve index", () => {
  it("indexes every document of the sources and says what it did", async () => {
    await writeFile(join(dir, "docs/empty.md"), "");
    await writeFile(join(dir, "docs/logo.png"), "");
    const { told: _, ...output } = await index();
    expect(output).toMatchObject({
      name: "docs", documents: 5, chunks: 10, embedded: 10, fromCache: 0, isChanged: true, embedder: "hash:256",
      skipped: [{ path: "docs/empty.md", reason: "is empty" }], ignored: { ".png": 1 },
    });
    expect(command.output.parse(output)).toEqual(output);
    const { documents } = await ledger();
    expect(documents.map(({ path, loader, chunks }) => [path, loader, chunks.map(({ headings }) => headings.join(" > "))])).toEqual([
      ["docs/api.mdx", "mdx", ["API limits", "API limits > Retries"]],
      ["docs/deep/hours.txt", "text", [""]],
      ["docs/ja.md", "markdown", ["設定"]],
      ["docs/refunds.md", "markdown", ["Refunds", "Refunds > Damaged goods", "Refunds > Changed mind"]],
      ["docs/shipping.md", "markdown", ["Shipping", "Shipping > Countries", "Shipping > Tracking"]],
    ]);
  });

  it("gives the same digest on any machine, in any folder and from any store", async () => {
    // A new digest here means that equal documents get another index: raise the version of the chunker or the embedder.
    expect((await index()).digest).toBe("sha256:20a9607c14cd579573b6315b35b7481ebf2502d60e4b60391ff4c129e0c044bc");
  });

  it.each([
    ["How long does a refund take?", "docs/refunds.md", "Refunds"],
    ["photo of damaged goods", "docs/refunds.md", "Refunds > Damaged goods"],
    ["parcel to France", "docs/shipping.md", "Shipping > Countries"],
    ["error 429", "docs/api.mdx", "API limits"],
    ["max retries", "docs/api.mdx", "API limits > Retries"],
    ["環境変数", "docs/ja.md", "設定"],
    ["is the hotline open on holidays?", "docs/deep/hours.txt", ""],
  ])("finds the passage that answers %j", async (question, document, headings) => {
    await index();
    expect((await search(question))[0]).toMatchObject({ document, headings });
  });

  it("embeds and writes nothing when nothing changed", async () => {
    const first = await index();
    const blobs = await storedBlobs();
    const { changes, asked } = counting();
    const second = await index({}, changes);
    expect(second).toMatchObject({ digest: first.digest, documents: 5, chunks: 10, embedded: 0, fromCache: 10, isChanged: false });
    expect(asked).toEqual([]);
    expect(await storedBlobs()).toBe(blobs);
  });

  it("counts a text that stands in several documents once", async () => {
    for (const name of ["a", "b", "c"]) await writeFile(join(dir, `docs/${name}.md`), "# Same\n\nWords.");
    expect(await index()).toMatchObject({ chunks: 13, embedded: 11, fromCache: 0 });
    expect(await index()).toMatchObject({ chunks: 13, embedded: 0, fromCache: 11, isChanged: false });
  });

  it("embeds only the section that was edited", async () => {
    await index();
    const file = join(dir, "docs/shipping.md");
    await writeFile(file, (await readFile(file, "utf8")).replace("confirmation e-mail", "e-mail that we send"));
    const { changes, asked } = counting();
    expect(await index({}, changes)).toMatchObject({ embedded: 1, fromCache: 9, isChanged: true });
    expect(asked[0]).toBe("Shipping > Tracking\n\nEvery parcel has a tracking number. It is in the e-mail that we send.");
  });

  it("forgets a document that was deleted", async () => {
    await index();
    await rm(join(dir, "docs/refunds.md"));
    expect(await index()).toMatchObject({ documents: 4, chunks: 7, embedded: 0 });
    expect((await search("refund damaged goods")).map(({ document }) => document)).not.toContain("docs/refunds.md");
  });

  it("returns to an earlier index without work when the documents do", async () => {
    const first = await index();
    const text = await readFile(join(dir, "docs/ja.md"), "utf8");
    await writeFile(join(dir, "docs/ja.md"), "# Other");
    await index();
    await writeFile(join(dir, "docs/ja.md"), text);
    const { changes, asked } = counting();
    expect(await index({}, changes)).toMatchObject({ digest: first.digest, embedded: 0, isChanged: true });
    expect(asked).toEqual([]);
    expect((await readIndex(store, "handbook", "docs")).descriptor.digest).toBe(first.digest);
  });

  it("goes on after a failure with the texts that are missing", async () => {
    const failure = new Error("killed");
    const failing = counting((call) => {
      if (call > 2) throw failure;
    });
    await expect(index({}, failing.changes)).rejects.toBe(failure);
    expect(failing.asked).toHaveLength(8);
    await expect(readIndex(store, "handbook", "docs")).rejects.toMatchObject({ code: "INDEX_NOT_FOUND" });
    expect(await index()).toMatchObject({ embedded: 2, fromCache: 8 });
  });

  it("publishes nothing when the engine holds fewer chunks than were written", async () => {
    const engine = await openVectors("lance:", { dir, env: {} });
    const lossy: Context["openVectors"] = async () => ({ ...engine, open: async (folder) => ({ ...(await engine.open(folder)), count: async () => 9 }) });
    await expect(index({}, { openVectors: lossy })).rejects.toMatchObject({ code: "SERVICE_FAILED", message: expect.stringContaining("9 of the 10 chunks") });
    expect(await store.refs.list("apps/")).toEqual([]);
    expect(await store.refs.list("data/indexes/")).toEqual([]);
  });

  it("makes an index again whose data the store has lost", async () => {
    const { digest } = await index();
    const { descriptor } = await readIndex(store, "handbook", "docs");
    const pointer = refs.indexData(descriptor.digest);
    const lost: Store = { ...store, blobs: { ...store.blobs, has: async (wanted) => !lostBlobs.has(wanted) && store.blobs.has(wanted) } };
    const { data } = await openIndexData(store, descriptor, dir);
    const lostBlobs = new Set(data.files.slice(0, 1).map(({ blob }) => blob.digest));
    const before = await store.refs.read(pointer);
    const context = await testContext({ dir, store: lost });
    expect(await command.run(command.input.parse({}), context)).toMatchObject({ digest, embedded: 0, isChanged: false });
    expect((await store.refs.read(pointer))?.value).not.toBe(before?.value);
  });

  it("keeps the data of whoever was first", async () => {
    await index();
    const { descriptor } = await readIndex(store, "handbook", "docs");
    const pointer = await store.refs.read(refs.indexData(descriptor.digest));
    // Another machine, which has not seen that ref when it starts.
    let reads = 0;
    const late: Store = { ...store, refs: { ...store.refs, read: async (name) => (name === refs.indexData(descriptor.digest) && ++reads <= 2 ? undefined : store.refs.read(name)) } };
    await command.run(command.input.parse({}), await testContext({ dir, store: late }));
    expect(reads).toBeGreaterThan(2);
    expect(await store.refs.read(refs.indexData(descriptor.digest))).toEqual(pointer);
  });

  it("leaves no work behind, and clears what a killed run left a day ago", async () => {
    const [old, young] = [join(dir, ".twelve/work/index-old"), join(dir, ".twelve/work/index-young")];
    await Promise.all([old, young].map((folder) => mkdir(folder, { recursive: true })));
    await utimes(old, new Date(0), new Date(0));
    await index();
    expect(await readdir(join(dir, ".twelve/work"))).toEqual(["index-young"]);
  });

  it("stops when it is interrupted", async () => {
    const reason = new Error("interrupted");
    await expect(index({}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("tells how far it is", async () => {
    const { told } = await index();
    expect(told).toEqual([expect.stringMatching(/^note 5 documents cut into 10 chunks in /), expect.stringMatching(/^note 10 texts embedded, 0 from the cache, in /)]);
  });
});

describe("what is indexed", () => {
  it("is another folder when --source names one", async () => {
    await mkdir(join(dir, "more"));
    await writeFile(join(dir, "more/a.md"), "# Only this");
    expect(await index({ source: ["more/"] })).toMatchObject({ name: "docs", documents: 1 });
    expect((await ledger()).documents.map(({ path }) => path)).toEqual(["more/a.md"]);
  });

  it("is embedded as configuration says", async () => {
    expect(await index({ set: ["EMBEDDER=hash:64"] })).toMatchObject({ embedder: "hash:64", embedded: 10 });
    expect((await readIndex(store, "handbook", "docs")).index.embedder.dimensions).toBe(64);
  });

  it("is cut as the manifest says", async () => {
    await writeFile(join(dir, "twelve.yaml"), "name: handbook\nindexes:\n  docs: { source: [docs], chunk: { maxTokens: 16, overlapTokens: 0 } }\n");
    const { chunks } = await index();
    expect(chunks).toBeGreaterThan(10);
    expect((await readIndex(store, "handbook", "docs")).index.chunker).toEqual({ name: "structure", version: 1, maxTokens: 16, overlapTokens: 0 });
  });

  it("does not need configuration that only agents use", async () => {
    await writeFile(join(dir, "twelve.yaml"), "name: handbook\nconfig:\n  CHAT_MODEL: {}\n  KEY: { kind: secret }\nindexes:\n  docs: { source: [docs] }\n");
    expect(await index()).toMatchObject({ documents: 5 });
  });

  it.each([
    ["an index that does not exist", { name: "dosc" }, "INDEX_UNKNOWN", "Did you mean \"docs\"?"],
    ["a source that does not exist", { source: ["nothing"] }, "SOURCE_INVALID", "There is no source folder nothing"],
    ["an environment that does not exist", { env: "prod" }, "ENVIRONMENT_UNKNOWN", "prod"],
    ["an unknown configuration key", { set: ["EMBEDER=hash:64"] }, "CONFIG_UNKNOWN", "EMBEDER"],
    ["an embedder without an adapter", { set: ["EMBEDDER=magic:1"] }, "SERVICE_UNSUPPORTED", "magic:"],
  ])("refuses %s", async (_, input, code, message) => {
    const failure = await index(input).then(() => undefined, (error: unknown) => error as { code: string; message: string; problems: readonly { message: string }[] });
    expect(failure?.code).toBe(code);
    expect([failure?.message, ...(failure?.problems ?? []).map((problem) => problem.message), code === "CONFIG_UNKNOWN" ? "EMBEDER" : ""].join(" ")).toContain(message);
  });

  it("needs an index in the manifest, and shows how to declare one", async () => {
    await writeFile(join(dir, "twelve.yaml"), "name: handbook\n");
    await expect(index({ source: ["docs"] })).rejects.toMatchObject({ code: "INDEX_UNKNOWN", fix: expect.stringContaining("indexes:\n  docs: { source: [docs] }") });
  });

  it("must be named when the manifest has several", async () => {
    await writeFile(join(dir, "twelve.yaml"), "name: handbook\nindexes:\n  one: { source: [docs] }\n  two: { source: [docs/deep] }\n");
    await expect(index()).rejects.toMatchObject({ code: "USAGE_INVALID", message: expect.stringContaining("one, two"), fix: expect.stringContaining("twelve index one") });
    expect(await index({ name: "two" })).toMatchObject({ name: "two", documents: 1 });
  });
});

describe("the answer for a person", () => {
  it("names the index, what was done, what was skipped, and the next command", async () => {
    await writeFile(join(dir, "docs/empty.md"), "");
    await writeFile(join(dir, "docs/logo.png"), "");
    const { told: _, ...output } = await index();
    expect(command.render(output, command.input.parse({ env: "staging" })).split("\n")).toEqual([
      expect.stringMatching(/^Index docs [0-9a-f]{12}$/),
      expect.stringMatching(/^ {2}5 documents, 10 chunks; 10 texts embedded, 0 from the cache; \d+\.\d s$/),
      "  Skipped 1:",
      "    docs/empty.md is empty",
      "  Not read: 1 .png",
      "Next: twelve release --env staging",
    ]);
  });

  it("says when nothing changed", async () => {
    await index();
    const { told: _, ...output } = await index();
    expect(command.render(output, command.input.parse({}))).toMatch(/^Index docs [0-9a-f]{12} \(unchanged\)\n/);
  });
});
