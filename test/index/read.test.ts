import { chmod, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openStore, openVectors } from "../../src/adapters/registry.ts";
import { hexOf } from "../../src/core/descriptor.ts";
import index from "../../src/index/command.ts";
import { findIndex, openIndexData, readIndex } from "../../src/index/read.ts";
import type { Store } from "../../src/ports/store.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { handbook } from "../helpers/handbook.ts";

/** One application indexed in a store on disk; tests lay it out in folders of their own and change nothing in the store. */
let dir: string;
let store: Store;
let digest: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "twelve-test-"));
  await handbook(dir);
  store = await openStore("file:.twelve/store", { dir, env: {} });
  const report = await index.run(index.input.parse({}), await testContext({ dir, store }));
  if (report.kind !== "report") throw new Error(`twelve index gave ${report.kind}`);
  ({ digest } = report);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe("reading an index", () => {
  it("gives the latest, or the one whose digest begins as asked", async () => {
    const latest = await readIndex(store, "handbook", "docs");
    expect(latest.descriptor.digest).toBe(digest);
    expect(latest.index).toMatchObject({ app: "handbook", name: "docs", documents: 5 });
    for (const prefix of [digest, hexOf(latest.descriptor.digest).slice(0, 12)]) expect(await readIndex(store, "handbook", "docs", prefix)).toEqual(latest);
  });

  it("names what is missing and the command that makes it", async () => {
    await expect(readIndex(store, "handbook", "other")).rejects.toMatchObject({ code: "INDEX_NOT_FOUND", message: expect.stringContaining("\"other\""), fix: "Run `twelve index other`" });
    await expect(readIndex(store, "handbook", "docs", "sha256:ffff")).rejects.toMatchObject({ code: "INDEX_NOT_FOUND", message: expect.stringContaining("sha256:ffff") });
    expect(await findIndex(store, "handbook", "other")).toBeUndefined();
  });
});

describe("reading one of several indexes", () => {
  async function storeOf(digests: readonly string[]): Promise<Store> {
    const memory = await openStore("memory:", { dir, env: {} });
    const { descriptor } = await readIndex(store, "handbook", "docs");
    const blob = await memory.blobs.write(await store.blobs.read(descriptor), descriptor.mediaType);
    for (const each of digests) await memory.refs.create(`apps/handbook/indexes/docs/${each}`, JSON.stringify({ index: blob }));
    return memory;
  }

  it("asks for more digits when a beginning names two", async () => {
    const several = await storeOf([`ab${"0".repeat(62)}`, `ab${"1".repeat(62)}`, `cd${"2".repeat(62)}`]);
    await expect(readIndex(several, "handbook", "docs", "ab")).rejects.toMatchObject({ code: "INDEX_NOT_FOUND", message: expect.stringContaining("begins the digests of 2 indexes") as string, fix: "Give more digits of the digest" });
    expect((await readIndex(several, "handbook", "docs", "ab1")).descriptor.digest).toBe(digest);
    expect((await readIndex(several, "handbook", "docs", "sha256:cd")).index.name).toBe("docs");
  });

  it("says so when what a ref names is of another kind or gone", async () => {
    const memory = await openStore("memory:", { dir, env: {} });
    const blob = await memory.blobs.write(new TextEncoder().encode('{"version":1}'), "application/vnd.twelve.index.v1+json");
    await memory.refs.create("apps/handbook/indexes/docs/latest", JSON.stringify({ index: blob }));
    await expect(findIndex(memory, "handbook", "docs")).rejects.toMatchObject({ code: "ARTIFACT_INVALID" });
    await memory.refs.create("apps/handbook/indexes/lost/latest", JSON.stringify({ index: { ...blob, digest: `sha256:${"0".repeat(64)}` } }));
    await expect(findIndex(memory, "handbook", "lost")).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
  });
});

describe("laying out an index", () => {
  async function layOut(folder: string): ReturnType<typeof openIndexData> {
    const { descriptor } = await readIndex(store, "handbook", "docs");
    return openIndexData(store, descriptor, folder);
  }

  it("puts read-only files into a folder that the engine can search", async () => {
    const { folder, data } = await layOut(await temporaryFolder());
    expect(data).toMatchObject({ engine: "lance", version: 1 });
    const modes = await Promise.all(data.files.map(async ({ path }) => (await stat(join(folder, path))).mode & 0o222));
    expect(new Set(modes)).toEqual(new Set([0]));
    const opened = await (await openVectors("lance:", { dir: folder, env: {} })).open(folder);
    onTestFinished(() => opened.close());
    expect((await opened.search({ mode: "text", text: "damaged goods", topK: 1 }))[0]).toMatchObject({ document: "docs/refunds.md", headings: "Refunds > Damaged goods" });
  });

  it("reads no file of the store again when nothing was touched", async () => {
    const app = await temporaryFolder();
    const first = await layOut(app);
    const { ino } = await stat(first.folder);
    const refusing: Store = { ...store, blobs: { ...store.blobs, readFile: () => Promise.reject(new Error("read again")) } };
    const { descriptor } = await readIndex(store, "handbook", "docs");
    expect((await openIndexData(refusing, descriptor, app)).folder).toBe(first.folder);
    expect((await stat(first.folder)).ino).toBe(ino);
  });

  it.each([
    ["missing", (file: string) => rm(file)],
    ["shorter", async (file: string) => replace(file, (await readFile(file)).subarray(1))],
    ["changed in one byte", async (file: string) => replace(file, (await readFile(file)).map((byte, i) => (i === 0 ? byte ^ 1 : byte)))],
  ])("is done again when a file is %s", async (_, damage) => {
    const app = await temporaryFolder();
    const { folder, data } = await layOut(app);
    const { path, blob } = data.files.find((file) => file.path.endsWith(".lance")) ?? { path: "", blob: undefined };
    const before = await readFile(join(folder, path));
    await damage(join(folder, path));
    await layOut(app);
    expect(await readFile(join(folder, path))).toEqual(before);
    expect(before.byteLength).toBe(blob?.size);
  });

  it("may be done by several processes at once", async () => {
    const app = await temporaryFolder();
    const folders = await Promise.all(Array.from({ length: 8 }, async () => (await layOut(app)).folder));
    expect(new Set(folders).size).toBe(1);
    expect(await readdir(join(app, ".twelve/cache/index"))).toEqual([hexOf((await readIndex(store, "handbook", "docs")).descriptor.digest)]);
  });

  it("leaves nothing behind when a blob is damaged", async () => {
    const app = await temporaryFolder();
    const failure = new Error("damaged");
    const broken: Store = { ...store, blobs: { ...store.blobs, readFile: () => Promise.reject(failure) } };
    const { descriptor } = await readIndex(store, "handbook", "docs");
    await expect(openIndexData(broken, descriptor, app)).rejects.toBe(failure);
    expect(await readdir(join(app, ".twelve/cache/index"))).toEqual([]);
  });
});

/** Another file in its place, with the old one's times: a link to the store's blob must not be written through. */
async function replace(file: string, bytes: Uint8Array): Promise<void> {
  const { atime, mtime } = await stat(file);
  await rm(file);
  await writeFile(file, bytes);
  await chmod(file, 0o444);
  await utimes(file, atime, mtime);
}
