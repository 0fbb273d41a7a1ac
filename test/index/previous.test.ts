import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { openEmbedder, openStore, openVectors } from "../../src/adapters/registry.ts";
import { refs } from "../../src/artifact/refs.ts";
import type { Digest } from "../../src/core/descriptor.ts";
import { TwelveError } from "../../src/core/errors.ts";
import command from "../../src/index/command.ts";
import { chunkerIdentity, type IndexFacts } from "../../src/index/plan.ts";
import { findPrevious, openBase, type Previous, type PreviousIndex } from "../../src/index/previous.ts";
import { embedProbe } from "../../src/index/probe.ts";
import { readIndexData } from "../../src/index/read.ts";
import type { Store } from "../../src/ports/store.ts";
import type { Story } from "../../src/ports/story.ts";
import type { VectorEngine } from "../../src/ports/vectors.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { handbook } from "../helpers/handbook.ts";

let dir: string;
let store: Store;
let engine: VectorEngine;
let facts: IndexFacts;
const warnings: string[] = [];
const story: Story = { note: () => {}, warn: (message) => void warnings.push(message), progress: () => ({ update: () => {}, done: () => {}, stop: () => {} }) };

beforeEach(async () => {
  warnings.length = 0;
  dir = await handbook(await temporaryFolder());
  store = await openStore("memory:", { dir, env: {} });
  engine = await openVectors("lance:", { dir, env: {} });
  const { identity } = await openEmbedder("hash:256", { dir, env: {} });
  facts = { app: "handbook", name: "docs", embedder: identity, chunker: chunkerIdentity({ maxTokens: 120, overlapTokens: 20 }) };
});

const makeIndex = async (): Promise<unknown> => command.run(command.input.parse({}), await testContext({ dir, store }));
const find = (changes: Partial<IndexFacts> = {}, from: Store = store, by: VectorEngine = engine): Promise<Previous> => findPrevious(from, { ...facts, ...changes }, { engine: by, story });
async function usable(): Promise<PreviousIndex> {
  const { usable: found } = await find();
  if (found === undefined) throw new Error("The index before is expected to be usable");
  return found;
}
/** A store that has lost some blobs, or reads them damaged. */
const without = (gone: (digest: Digest) => boolean): Store => ({
  ...store,
  blobs: {
    ...store.blobs,
    has: async (digest) => !gone(digest) && store.blobs.has(digest),
    read: async (blob) => (gone(blob.digest) ? Promise.reject(new TwelveError("BLOB_CORRUPT", `Blob ${blob.digest} is damaged`)) : store.blobs.read(blob)),
    readFile: async (blob, path) => (gone(blob.digest) ? Promise.reject(new TwelveError("BLOB_CORRUPT", `Blob ${blob.digest} is damaged`)) : store.blobs.readFile(blob, path)),
  },
});

describe("the index before", () => {
  it("is none at first, and nobody is warned of that", async () => {
    expect(await find()).toEqual({ latest: undefined, usable: undefined });
    expect(warnings).toEqual([]);
  });

  it("is the latest of its name when it was made with the same settings", async () => {
    await makeIndex();
    const { latest, usable: found } = await find();
    expect(found?.descriptor).toEqual(latest);
    expect([found?.index.documents, found?.ledger.documents.length, warnings]).toEqual([5, 5, []]);
    expect(await find({ name: "other" })).toEqual({ latest: undefined, usable: undefined });
    expect(await find({ app: "other" })).toEqual({ latest: undefined, usable: undefined });
  });

  it.each([
    ["another embedder", () => ({ embedder: { ...facts.embedder, model: "words-9" } })],
    ["other sizes of chunks", () => ({ chunker: { ...facts.chunker, maxTokens: 121 } })],
    ["another version of the chunker", () => ({ chunker: { ...facts.chunker, version: 99 } })],
  ])("cannot be built on with %s, but is still the latest", async (_, changes) => {
    await makeIndex();
    const { latest, usable: found } = await find(changes());
    expect([latest?.digest.length, found, warnings]).toEqual([71, undefined, []]);
  });

  it.each([
    ["another engine", { name: "other" }],
    ["another version of its engine", { version: "99" }],
  ])("cannot be built on with %s", async (_, changes) => {
    await makeIndex();
    expect(await find({}, store, { ...engine, ...changes })).toMatchObject({ latest: { size: expect.any(Number) as number }, usable: undefined });
  });

  it("cannot be built on when the store has lost one of its files or its probe", async () => {
    await makeIndex();
    const { descriptor, index } = await usable();
    const data = await readIndexData(store, descriptor);
    for (const lost of [data.probe.digest, data.files.at(-1)?.blob.digest]) expect(await find({}, without((digest) => digest === lost))).toMatchObject({ latest: descriptor, usable: undefined });
    expect(warnings).toEqual([]);
    expect(await find({}, without((digest) => digest === index.ledger.digest))).toEqual({ latest: descriptor, usable: undefined });
    expect(warnings).toEqual([expect.stringMatching(/^The latest index "docs" cannot be read \(Blob .* is damaged\); it is made again$/)]);
  });

  it("is made again with a warning when its document is damaged or of another version", async () => {
    await makeIndex();
    const { descriptor } = await usable();
    expect(await find({}, without((digest) => digest === descriptor.digest))).toEqual({ latest: undefined, usable: undefined });
    const old = await store.blobs.write(new TextEncoder().encode('{"version":1}'), "application/vnd.twelve.index.v1+json");
    const name = refs.latestIndex("handbook", "docs");
    await store.refs.replace(name, JSON.stringify({ index: old }), (await store.refs.read(name))?.tag ?? "");
    expect(await find()).toEqual({ latest: undefined, usable: undefined });
    expect(warnings).toHaveLength(2);
  });

  it("is not told from a store that cannot be read: that failure is passed on", async () => {
    await makeIndex();
    const failure = new TwelveError("STORE_UNUSABLE", "no disk");
    await expect(find({}, { ...store, blobs: { ...store.blobs, read: () => Promise.reject(failure) } })).rejects.toBe(failure);
  });
});

describe("the files to build on", () => {
  const probe = async (): Promise<Uint8Array> => embedProbe(await openEmbedder("hash:256", { dir, env: {} }));
  const open = async (from: Store = store, changes: Partial<Parameters<typeof openBase>[2]> = {}): ReturnType<typeof openBase> => openBase(from, await usable(), { dir, engine, story, probe: await probe(), ...changes });

  it("are those that the store holds, laid out in a folder that the engine opens", async () => {
    await makeIndex();
    const base = await open();
    expect(base?.files.length).toBeGreaterThan(0);
    const opened = await engine.open(base?.folder ?? "");
    expect(await opened.count()).toBe(10);
    opened.close();
  });

  it("are laid out again when somebody has touched them", async () => {
    await makeIndex();
    const before = await open();
    const [name = ""] = await readdir(before?.folder ?? "");
    await rm(join(before?.folder ?? "", name), { recursive: true });
    await writeFile(join(before?.folder ?? "", "stranger"), "");
    expect(await readdir((await open())?.folder ?? "")).toContain(name);
  });

  it("are none when a file is damaged: nothing is built on it", async () => {
    await makeIndex();
    const data = await readIndexData(store, (await usable()).descriptor);
    await rm(join(dir, ".twelve/cache"), { recursive: true, force: true });
    expect(await open(without((digest) => digest === data.files[0]?.blob.digest))).toBeUndefined();
  });

  it("are none for another version of the engine", async () => {
    await makeIndex();
    expect(await open(store, { engine: { ...engine, version: "99" } })).toBeUndefined();
  });

  it("are none when the embedder gives other vectors now, and a warning says so", async () => {
    await makeIndex();
    expect(await open(store, { probe: (await probe()).toReversed() })).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining("hash:words-1 (256 dimensions) gives other vectors than when the latest index was made")]);
  });

  it("pass on a failure of the store", async () => {
    await makeIndex();
    await rm(join(dir, ".twelve/cache"), { recursive: true, force: true });
    const failure = new TwelveError("STORE_UNUSABLE", "no disk");
    await expect(open({ ...store, blobs: { ...store.blobs, readFile: () => Promise.reject(failure) } })).rejects.toBe(failure);
  });
});
