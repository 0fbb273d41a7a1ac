import { cp, mkdir, readdir, readFile, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { z } from "zod";
import { openEmbedder, openStore, openVectors } from "../../src/adapters/registry.ts";
import { readDocument } from "../../src/artifact/document.ts";
import { refs } from "../../src/artifact/refs.ts";
import { digestOf } from "../../src/core/descriptor.ts";
import { TwelveError } from "../../src/core/errors.ts";
import command from "../../src/index/command.ts";
import { probeTexts } from "../../src/index/probe.ts";
import { openIndexData, readIndex, readIndexData } from "../../src/index/read.ts";
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
type Report = Extract<Output, { readonly kind: "report" }> & { readonly told: TestContext["told"] };
type Input = z.input<typeof command.input>;

async function run(input: Input = {}, changes: Partial<Context> = {}): Promise<Output & { readonly told: TestContext["told"] }> {
  const context = await testContext({ dir, store });
  const output: Output = await command.run(command.input.parse(input), { ...context, ...changes });
  return { ...output, told: context.told };
}
async function index(input: Input = {}, changes: Partial<Context> = {}): Promise<Report> {
  const output = await run(input, changes);
  if (output.kind !== "report") throw new Error(`The command gave ${output.kind}`);
  return output;
}
async function estimate(input: Input = {}, changes: Partial<Context> = {}): Promise<Extract<Output, { readonly kind: "estimate" }>> {
  const output = await run({ ...input, estimate: true }, changes);
  if (output.kind !== "estimate") throw new Error(`The command gave ${output.kind}`);
  return output;
}

interface Counting {
  readonly changes: Partial<Context>;
  /** Every text of a document that was embedded, in order. */
  readonly asked: string[];
  readonly calls: () => number;
}
/** The hash embedder with small batches, at a price, counting its texts; `fail` may throw before a call is answered. */
function counting({ fail = () => {}, ...changed }: { readonly fail?: (call: number) => void } & Partial<Embedder> = {}): Counting {
  const asked: string[] = [];
  let calls = 0;
  const openCounting = async (reference: string): Promise<Embedder> => {
    const embedder = await openEmbedder(reference, { dir, env: {} });
    const embed: Embedder["embed"] = (texts, task) => {
      if (texts.some((text) => probeTexts.includes(text))) return embedder.embed(texts, task);
      fail(++calls);
      asked.push(...texts);
      return embedder.embed(texts, task);
    };
    return { ...embedder, maxBatch: 4, ...changed, embed };
  };
  return { changes: { openEmbedder: openCounting }, asked, calls: () => calls };
}
async function ledger(): Promise<Ledger> {
  return readDocument(store, ledgerKind, (await readIndex(store, "handbook", "docs")).index.ledger);
}
async function search(text: string, { from = store, mode = "text", topK = 3 }: { readonly from?: Store; readonly mode?: "text" | "vector"; readonly topK?: number } = {}): Promise<readonly VectorHit[]> {
  const { descriptor, index: { embedder } } = await readIndex(from, "handbook", "docs");
  const { folder } = await openIndexData(from, descriptor, await temporaryFolder());
  const opened = await (await openVectors("lance:", { dir, env: {} })).open(folder);
  const [vector = new Float32Array()] = await (await openEmbedder(`hash:${embedder.dimensions}`, { dir, env: {} })).embed([text], "query");
  return opened.search({ mode, text, vector, topK }).finally(() => opened.close());
}
/** The IDs that the engine really holds, and those that the ledger lists. */
async function held(): Promise<{ readonly engine: readonly string[]; readonly ledger: readonly string[] }> {
  const { descriptor } = await readIndex(store, "handbook", "docs");
  const { folder } = await openIndexData(store, descriptor, dir);
  const opened = await (await openVectors("lance:", { dir, env: {} })).open(folder);
  try {
    return { engine: (await Array.fromAsync(opened.ids())).sort(), ledger: (await ledger()).documents.flatMap(({ chunks }) => chunks.map(({ id }) => id)).sort() };
  } finally {
    opened.close();
  }
}
const withEmbedding = (settings: string): Promise<void> => edit("twelve.yaml", (text) => text.replace("overlapTokens: 20 } }", `overlapTokens: 20 }, embedding: ${settings} }`));
const edit = async (name: string, change: (text: string) => string): Promise<void> => writeFile(join(dir, name), change(await readFile(join(dir, name), "utf8")));
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
      skipped: [{ path: "docs/empty.md", reason: "is empty" }], ignored: { ".png": 1 }, costUsd: 0, requests: 1,
    });
    expect(command.output.parse(output)).toEqual(output);
    const { documents } = await ledger();
    expect(documents.map(({ path, loader, chunks }) => [path, loader, chunks.map(({ headings }) => headings.join(" > "))])).toEqual([
      ["docs/api.mdx", "mdx@2", ["API limits", "API limits > Retries"]],
      ["docs/deep/hours.txt", "text@2", [""]],
      ["docs/ja.md", "markdown@2", ["設定"]],
      ["docs/refunds.md", "markdown@2", ["Refunds", "Refunds > Damaged goods", "Refunds > Changed mind"]],
      ["docs/shipping.md", "markdown@2", ["Shipping", "Shipping > Countries", "Shipping > Tracking"]],
    ]);
  });

  it("gives the same digest on any machine, in any folder and from any store", async () => {
    // A new digest here means that equal documents get another index: raise the version of the chunker or the embedder.
    expect((await index()).digest).toBe("sha256:a457f884108a58c19b8af4b2adb6092471f3269d76b2fa19f17851129dd29066");
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
    const best = await Promise.all((["text", "vector"] as const).map(async (mode) => (await search(question, { mode }))[0]));
    expect(best).toContainEqual(expect.objectContaining({ document, headings }));
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

  it("embeds only the section that was edited, and stores only what it changes", async () => {
    await index();
    await edit("docs/shipping.md", (text) => text.replace("confirmation e-mail", "e-mail that we send"));
    const { changes, asked } = counting();
    expect(await index({}, changes)).toMatchObject({ embedded: 1, fromCache: 9, isChanged: true });
    expect(asked).toEqual(["Shipping > Tracking\n\nEvery parcel has a tracking number. It is in the e-mail that we send."]);
    expect((await search("e-mail that we send"))[0]).toMatchObject({ document: "docs/shipping.md", headings: "Shipping > Tracking" });
    expect(await search("confirmation")).toEqual([]);
    const { engine, ledger: listed } = await held();
    expect(engine).toEqual(listed);
  });

  it("forgets a document that was deleted", async () => {
    await index();
    await rm(join(dir, "docs/refunds.md"));
    expect(await index()).toMatchObject({ documents: 4, chunks: 7, embedded: 0, fromCache: 7, isChanged: true });
    expect((await search("refund damaged goods")).map(({ document }) => document)).not.toContain("docs/refunds.md");
    const { engine, ledger: listed } = await held();
    expect([engine.length, engine]).toEqual([7, listed]);
  });

  it("knows a renamed document by its new name, without embedding it again", async () => {
    await index();
    await rename(join(dir, "docs/refunds.md"), join(dir, "docs/returns.md"));
    const { changes, asked } = counting();
    expect(await index({}, changes)).toMatchObject({ documents: 5, chunks: 10, embedded: 0, isChanged: true });
    expect(asked).toEqual([]);
    expect((await search("photo of damaged goods"))[0]).toMatchObject({ document: "docs/returns.md" });
    const { engine, ledger: listed } = await held();
    expect([engine.length, engine]).toEqual([10, listed]);
  });

  it("gives one digest and the same answers whatever came before", async () => {
    await index();
    await edit("docs/shipping.md", (text) => `${text}\n\n## Later\n\nThis section comes and goes.\n`);
    await index();
    await rm(join(dir, "docs/refunds.md"));
    await index();
    await cp(join(import.meta.dirname, "../../fixtures/index/handbook/docs"), join(dir, "docs"), { recursive: true });
    await edit("docs/deep/hours.txt", (text) => `${text}\nClosed on Mondays.\n`);
    const long = await index();
    const fresh = await openStore("memory:", { dir, env: {} });
    expect((await index({}, { store: () => Promise.resolve(fresh) })).digest).toBe(long.digest);
    for (const question of ["refund", "parcel tracking number", "Mondays", "環境変数", "section"]) {
      for (const mode of ["text", "vector"] as const) expect(await search(question, { mode, topK: 10 })).toEqual(await search(question, { from: fresh, mode, topK: 10 }));
    }
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
    await withEmbedding("{ requestsAtOnce: 1 }");
    const failing = counting({
      fail: (call) => {
        if (call > 2) throw failure;
      },
    });
    await expect(index({}, failing.changes)).rejects.toBe(failure);
    expect(failing.asked).toHaveLength(8);
    await expect(readIndex(store, "handbook", "docs")).rejects.toMatchObject({ code: "INDEX_NOT_FOUND" });
    const again = counting();
    expect(await index({}, again.changes)).toMatchObject({ embedded: 2, fromCache: 8, requests: 1 });
    expect(new Set([...failing.asked, ...again.asked]).size).toBe(10);
  });

  it("publishes nothing when the engine holds fewer chunks than were written", async () => {
    const engine = await openVectors("lance:", { dir, env: {} });
    const lossy: Context["openVectors"] = async () => ({ ...engine, open: async (folder) => ({ ...(await engine.open(folder)), count: async () => 9 }) });
    await expect(index({}, { openVectors: lossy })).rejects.toMatchObject({ code: "SERVICE_FAILED", message: expect.stringContaining("9 of the 10 chunks") });
    expect(await store.refs.list("apps/")).toEqual([]);
    expect(await store.refs.list("data/indexes/")).toEqual([]);
  });

  it("makes an index anew with --rebuild that holds the data of another", async () => {
    const { digest } = await index();
    const { descriptor } = await readIndex(store, "handbook", "docs");
    await rm(join(dir, "docs/ja.md"));
    await index();
    const other = await store.refs.read(refs.indexData((await readIndex(store, "handbook", "docs")).descriptor.digest));
    const ref = await store.refs.read(refs.indexData(descriptor.digest));
    await store.refs.replace(refs.indexData(descriptor.digest), other?.value ?? "", ref?.tag ?? "");
    await writeFile(join(dir, "docs/ja.md"), await readFile(join(import.meta.dirname, "../../fixtures/index/handbook/docs/ja.md")));

    await index();
    expect((await held()).engine).toHaveLength(9);
    const { changes, asked } = counting();
    expect(await index({ rebuild: true }, changes)).toMatchObject({ digest, embedded: 0 });
    expect(asked).toEqual([]);
    const { engine, ledger: listed } = await held();
    expect(engine).toEqual(listed);
  });

  it.each([
    [{ estimate: true, detach: true }, "--detach"], [{ estimate: true, maxCost: 1 }, "--max-cost"], [{ detach: true, rebuild: true }, "--rebuild"], [{ detach: true, maxCost: 1 }, "--max-cost"],
  ])("refuses flags that contradict each other: %j", async (input, flag) => {
    await expect(index(input)).rejects.toMatchObject({ code: "USAGE_INVALID", message: expect.stringContaining(flag) });
  });

  it("takes a file that still cannot be read for no change", async () => {
    const locked = join(dir, "docs/locked.md");
    const context = await testContext({ dir, store });
    const locking: Partial<Context> = {
      openSource: async (reference, options) => {
        const source = await context.openSource(reference, options);
        return {
          ...source,
          async *list(isWanted, signal) {
            yield* source.list(isWanted, signal);
            yield { path: "docs/locked.md", file: locked, sizeBytes: 10, read: () => Promise.reject(new Error("not asked for: it is a local file")) };
          },
        };
      },
    };
    const first = await index({}, locking);
    expect(first.skipped).toEqual([{ path: "docs/locked.md", reason: "cannot be read: ENOENT", digest: null, loader: expect.any(String) }]);
    expect(await index({}, locking)).toMatchObject({ digest: first.digest, isChanged: false, requests: 0, durationMs: { make: 0 } });
    await writeFile(locked, "# Open now\n\nWords.\n");
    expect(await index({}, locking)).toMatchObject({ documents: 6, skipped: [], isChanged: true });
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

  it("says what the embedder failed with, whatever words it uses", async () => {
    const failure = new TwelveError("SERVICE_DENIED", "openai:model answered 402: Insufficient balance");
    const { changes } = counting({
      fail: () => {
        throw failure;
      },
    });
    await expect(index({}, changes)).rejects.toBe(failure);
  });

  it("stops when it is interrupted", async () => {
    const reason = new Error("interrupted");
    await expect(index({}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("tells what it has done", async () => {
    expect((await index()).told).toEqual(["note 5 documents read, 10 texts embedded in 1 request"]);
  });
});

describe("what is indexed", () => {
  it("is another folder when --source names one", async () => {
    await mkdir(join(dir, "more"));
    await writeFile(join(dir, "more/a.md"), "# Only this");
    expect(await index({ source: ["more/"] })).toMatchObject({ name: "docs", documents: 1 });
    expect((await ledger()).documents.map(({ path }) => path)).toEqual(["more/a.md"]);
  });

  it("says that it was made from other sources only where they are others", async () => {
    const isTold = async (...source: string[]): Promise<boolean> => (await index({ source, rebuild: true })).told.some((line) => line.includes("instead of the manifest's sources"));
    await mkdir(join(dir, "more"));
    await writeFile(join(dir, "more/a.md"), "# Only this");
    expect(await isTold("more")).toBe(true);
    expect(await isTold("docs", "more")).toBe(true);
    for (const same of [["docs"], ["docs/"], ["./docs"], ["docs", "./docs//"]]) expect([same, await isTold(...same)]).toEqual([same, false]);
  });

  it("refuses a queue that cannot be used with --detach, also when nothing changed", async () => {
    await index();
    const env = { STATE_URL: "redis://cache" };
    await expect(run({ detach: true }, { env })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringContaining("no queue for redis:") as string });
  });

  it("is embedded as configuration says", async () => {
    expect(await index({ set: ["EMBEDDER=hash:64"] })).toMatchObject({ embedder: "hash:64", embedded: 10 });
    expect((await readIndex(store, "handbook", "docs")).index.embedder.dimensions).toBe(64);
  });

  it("is cut as the manifest says", async () => {
    await writeFile(join(dir, "twelve.yaml"), "name: handbook\nindexes:\n  docs: { source: [docs], chunk: { maxTokens: 16, overlapTokens: 0 } }\n");
    const { chunks } = await index();
    expect(chunks).toBeGreaterThan(10);
    expect((await readIndex(store, "handbook", "docs")).index.chunker).toEqual({ name: "structure", version: 2, tokenizer: "cl100k_base", maxTokens: 16, overlapTokens: 0 });
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

describe("what can no longer be used", () => {
  it("is an index that another version of the engine wrote: it is made again, under the same digest", async () => {
    const { digest } = await index();
    const engine = await openVectors("lance:", { dir, env: {} });
    const newer: Partial<Context> = { openVectors: async () => ({ ...engine, version: "99" }) };
    const { changes, asked } = counting();
    expect(await index({}, { ...changes, ...newer })).toMatchObject({ digest, embedded: 0, isChanged: false });
    expect(asked).toEqual([]);
    expect(await readIndexData(store, (await readIndex(store, "handbook", "docs")).descriptor)).toMatchObject({ engineVersion: "99" });
    // And then it is as good as new.
    expect(await index({}, { ...newer, openVectors: async () => ({ ...engine, version: "99", write: () => Promise.reject(new Error("written again")) }) })).toMatchObject({ digest });
  });

  it("is an index of an older format: a warning says so, and it is made again", async () => {
    const blob = await store.blobs.write(new TextEncoder().encode('{"version":1,"app":"handbook"}'), "application/vnd.twelve.index.v1+json");
    await store.refs.create(refs.latestIndex("handbook", "docs"), JSON.stringify({ index: blob }));
    const { told, ...output } = await index();
    expect(output).toMatchObject({ documents: 5, embedded: 10, isChanged: true });
    expect(told[0]).toMatch(/^warn The latest index "docs" cannot be read \(.*version.*\); it is made again$/s);
    await readIndex(store, "handbook", "docs");
  });

  it("is an embedder that gives other vectors under its old name: every text is embedded again", async () => {
    await index();
    await edit("docs/ja.md", (text) => `${text}\n\n追記。\n`);
    const turned = async (reference: string): Promise<Embedder> => {
      const embedder = await openEmbedder(reference, { dir, env: {} });
      return { ...embedder, embed: async (texts, task) => (await embedder.embed(texts, task)).map((vector) => vector.toReversed()) };
    };
    const { told, ...output } = await index({}, { openEmbedder: turned });
    expect(output).toMatchObject({ documents: 5, embedded: 10, fromCache: 0 });
    expect(told).toContainEqual(expect.stringContaining("gives other vectors than when the latest index was made"));
  });
});

describe("files that cannot be indexed", () => {
  beforeEach(async () => {
    await writeFile(join(dir, "docs/empty.md"), " \n");
  });

  it("are in the ledger with their digest, and are not read again before they change", async () => {
    await index();
    expect((await ledger()).skipped).toEqual([{ path: "docs/empty.md", reason: "is empty", digest: digestOf(" \n"), loader: expect.stringMatching(/^markdown@/) as string }]);
    const { changes, asked } = counting();
    expect(await index({}, changes)).toMatchObject({ isChanged: false, skipped: [{ path: "docs/empty.md" }] });
    await writeFile(join(dir, "docs/empty.md"), "Not empty any more.");
    expect(await index({}, changes)).toMatchObject({ documents: 6, skipped: [], embedded: 1, isChanged: true });
    expect(asked).toEqual(["Not empty any more."]);
  });

  it("leave the index as it was when they come or go, save for the ledger", async () => {
    const first = await index();
    await rm(join(dir, "docs/empty.md"));
    const second = await index();
    expect([second.digest === first.digest, second.isChanged, second.skipped, second.embedded]).toEqual([false, true, [], 0]);
  });

  it("publish nothing with --strict, now and when nothing has changed since", async () => {
    const failure = { code: "DOCUMENT_UNREADABLE", exit: 2, problems: [{ file: "docs/empty.md", message: "is empty" }] };
    await expect(index({ strict: true })).rejects.toMatchObject(failure);
    expect(await store.refs.list("apps/")).toEqual([]);
    await index();
    await expect(index({ strict: true })).rejects.toMatchObject(failure);
    await rm(join(dir, "docs/empty.md"));
    // What was embedded for the refused run is not embedded again.
    expect(await index({ strict: true })).toMatchObject({ documents: 5, embedded: 0 });
  });

  it("are not skipped when another source offers them as documents", async () => {
    await symlink("shipping.md", join(dir, "docs/link.md"));
    await index({ source: ["docs", "docs/link.md"] });
    const { documents, skipped } = await ledger();
    expect(documents.map(({ path }) => path)).toContain("docs/link.md");
    expect(skipped.map(({ path }) => path)).toEqual(["docs/empty.md"]);
    expect(await index({ source: ["docs", "docs/link.md"] })).toMatchObject({ isChanged: false });
  });

  it("are said to be so when there is no document at all, and nothing is published", async () => {
    await mkdir(join(dir, "more"));
    await writeFile(join(dir, "more/empty.md"), "");
    await writeFile(join(dir, "more/logo.png"), "");
    await expect(index({ source: ["more"] })).rejects.toMatchObject({ code: "SOURCE_INVALID", message: expect.stringMatching(/No document was found in more\..*1 \.png.*more\/empty\.md is empty/) as string });
    expect(await store.refs.list("apps/")).toEqual([]);
  });
});

describe("what documents say about themselves", () => {
  it("is in the ledger and comes back with every hit", async () => {
    await writeFile(join(dir, "docs/team.md"), "---\ntitle: Teams\nowner: platform\ntags: [people, on-call]\n---\n\n# Teams\n\nThe platform team answers at night.\n");
    await index();
    const document = (await ledger()).documents.find(({ path }) => path === "docs/team.md");
    expect(document?.metadata).toMatchObject({ owner: "platform", tags: ["people", "on-call"] });
    expect((await search("answers at night"))[0]?.metadata).toMatchObject({ owner: "platform", tags: ["people", "on-call"] });
  });

  it("is part of the document: a change of it alone is a change, and costs no embedding", async () => {
    await writeFile(join(dir, "docs/team.md"), "---\nowner: platform\n---\n\n# Teams\n\nText.\n");
    const first = await index();
    await edit("docs/team.md", (text) => text.replace("platform", "support"));
    const second = await index();
    expect([second.digest === first.digest, second.embedded]).toEqual([false, 0]);
    expect((await search("Teams"))[0]?.metadata).toMatchObject({ owner: "support" });
  });

  it("may come beside the text, from a feed, where it wins", async () => {
    const line = (id: string, text: string, metadata: object): string => JSON.stringify({ id, text, metadata });
    await writeFile(join(dir, "feed.jsonl"), [line("a", "# Alpha\n\nFirst of all.", { team: "one" }), line("b", "# Beta\n\nSecond.", { team: "two" })].join("\n"));
    expect(await index({ source: ["feed.jsonl"] })).toMatchObject({ documents: 2, embedded: 2 });
    expect((await search("Beta"))[0]).toMatchObject({ document: "feed.jsonl#b", metadata: { team: "two" } });
    expect(await index({ source: ["feed.jsonl"] })).toMatchObject({ isChanged: false });
    await writeFile(join(dir, "feed.jsonl"), [line("a", "# Alpha\n\nFirst of all.", { team: "one" }), line("b", "# Beta\n\nSecond.", { team: "three" })].join("\n"));
    expect(await index({ source: ["feed.jsonl"] })).toMatchObject({ isChanged: true, embedded: 0 });
    expect((await search("Beta"))[0]).toMatchObject({ metadata: { team: "three" } });
  });

  it("may hold half a surrogate pair, which is stored as what it can be", async () => {
    await writeFile(join(dir, "docs/odd.md"), '---\ntitle: "Odd \\ud800 title"\nnote: "half \\udc00"\n---\n\nText.\n');
    await writeFile(join(dir, "feed.jsonl"), '{"id":"x","text":"Odd \\ud83d text","metadata":{"note":"half \\ud83d"}}\n');
    expect(await index({ source: ["docs", "feed.jsonl"] })).toMatchObject({ documents: 7 });
    expect(await index({ source: ["docs", "feed.jsonl"] })).toMatchObject({ isChanged: false });
  });
});

describe("--estimate", () => {
  it("says what a run then does, and embeds and writes nothing", async () => {
    const { changes, asked, calls } = counting({ usdPerMillionTokens: 1000 });
    const before = await readdir(dir);
    const said = await estimate({}, changes);
    expect([asked, await storedBlobs(), await store.refs.list(""), await readdir(dir)]).toEqual([[], 0, [], before]);
    const done = await index({}, changes);
    expect(said).toMatchObject({ documents: done.documents, chunks: done.chunks, toEmbed: { texts: done.embedded, requests: done.requests, costUsd: done.costUsd } });
    expect([asked.length, calls(), said.toEmbed.tokens]).toEqual([10, 3, Math.round((done.costUsd ?? 0) * 1000)]);
  });

  it("asks the embedder for nothing at all, not even whether it is still the same", async () => {
    const refusing = async (reference: string): Promise<Embedder> => ({ ...(await openEmbedder(reference, { dir, env: {} })), embed: () => Promise.reject(new Error("asked")) });
    expect((await estimate({}, { openEmbedder: refusing })).toEmbed.texts).toBe(10);
    await index();
    await edit("docs/ja.md", (text) => `${text}\n\n追記。\n`);
    expect((await estimate({}, { openEmbedder: refusing })).toEmbed.texts).toBe(1);
  });

  it("counts only what an edit would cost, and nothing when nothing changed", async () => {
    await index();
    expect((await estimate()).toEmbed).toEqual({ texts: 0, tokens: 0, requests: 0, costUsd: 0 });
    await edit("docs/shipping.md", (text) => `${text}\n\n## New\n\nOne more section.\n`);
    await writeFile(join(dir, "docs/copy.md"), await readFile(join(dir, "docs/ja.md"), "utf8"));
    const said = await estimate();
    expect(said).toMatchObject({ documents: 6, chunks: 12, toEmbed: { texts: 1, requests: 1 } });
    expect(await index()).toMatchObject({ documents: 6, chunks: 12, embedded: 1, requests: 1 });
  });

  it("counts requests as they are sent, group by group", async () => {
    for (let i = 0; i < 40; i++) await writeFile(join(dir, `docs/many ${i}.md`), Array.from({ length: 60 }, (_, j) => `# Heading ${j}\n\nText ${i} and ${j}.\n`).join("\n"));
    const { changes } = counting({ maxBatch: 70 });
    const said = await estimate({}, changes);
    expect(await index({}, changes)).toMatchObject({ requests: said.toEmbed.requests, embedded: said.toEmbed.texts, chunks: said.chunks });
  });

  it("knows no cost where the price is not known, and takes the manifest's price", async () => {
    const { changes } = counting({ usdPerMillionTokens: null });
    const unknown = await run({ estimate: true }, changes);
    expect(unknown).toMatchObject({ toEmbed: { texts: 10, costUsd: null } });
    const { told: _, ...output } = unknown;
    expect(command.render(output, command.input.parse({}))).toContain("usdPerMillionTokens");
    await withEmbedding("{ usdPerMillionTokens: 2000 }");
    const known = await estimate({}, changes);
    expect(known.toEmbed.costUsd).toBeCloseTo(known.toEmbed.tokens * 0.002, 10);
  });
});

describe("--max-cost", () => {
  const oneAtOnce = (): Promise<void> => withEmbedding("{ requestsAtOnce: 1 }");

  it("stops cleanly with 100, keeps what is embedded, and the next run goes on without paying twice", async () => {
    await oneAtOnce();
    const { changes, asked } = counting({ usdPerMillionTokens: 1000 });
    const { toEmbed: { costUsd } } = await estimate({}, changes);
    const half = (costUsd ?? 0) * 0.6;
    await expect(index({ maxCost: half }, changes)).rejects.toMatchObject({ code: "COST_EXCEEDED", exit: 100, fix: expect.stringContaining("--max-cost") as string });
    const first = asked.length;
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(10);
    await expect(readIndex(store, "handbook", "docs")).rejects.toMatchObject({ code: "INDEX_NOT_FOUND" });
    expect(await index({ maxCost: half }, changes)).toMatchObject({ embedded: 10 - first, fromCache: first });
    expect(asked.toSorted()).toEqual([...new Set(asked)].sort());
    expect(asked).toHaveLength(10);
  });

  it("allows exactly what it says", async () => {
    const { changes } = counting({ usdPerMillionTokens: 1000 });
    const { toEmbed: { costUsd } } = await estimate({}, changes);
    expect(await index({ maxCost: costUsd ?? 0 }, changes)).toMatchObject({ embedded: 10, costUsd });
  });

  it("of nothing is enough for what is free, or embedded already", async () => {
    expect(await index({ maxCost: 0 })).toMatchObject({ embedded: 10, costUsd: 0 });
    await rm(join(dir, "docs/ja.md"));
    const { changes } = counting({ usdPerMillionTokens: 1000 });
    expect(await index({ maxCost: 0 }, changes)).toMatchObject({ documents: 4, embedded: 0 });
  });

  it("is refused where the price is not known, before anything is sent", async () => {
    const { changes, asked } = counting({ usdPerMillionTokens: null });
    await expect(index({ maxCost: 5 }, changes)).rejects.toMatchObject({ code: "COST_EXCEEDED", message: expect.stringContaining("the price of hash:256 is not known") as string });
    expect(asked).toEqual([]);
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

describe("an embedder that refuses for a while", () => {
  const limited = new TwelveError("SERVICE_LIMITED", "slow down", { retry: { afterMs: 0 } });

  it("is asked again for the vectors that tell whether it is still the same", async () => {
    let calls = 0;
    const busy = async (reference: string): Promise<Embedder> => {
      const embedder = await openEmbedder(reference, { dir, env: {} });
      return { ...embedder, embed: (...asked) => (++calls === 1 ? Promise.reject(limited) : embedder.embed(...asked)) };
    };
    const { told, ...output } = await index({}, { openEmbedder: busy });
    expect(output).toMatchObject({ documents: 5, embedded: 10 });
    expect(told[0]).toMatch(/^note slow down; asking again in \d\.\d s$/);
  });
});
