import { copyFile, link, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { openStore } from "../../src/adapters/registry.ts";
import { digestOf } from "../../src/core/descriptor.ts";
import { type EngineBase, storeFiles } from "../../src/index/engine-files.ts";
import type { Store } from "../../src/ports/store.ts";
import { temporaryFolder } from "../helpers/context.ts";

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}
/** A store that lists what it was given to keep. */
async function watchedStore(): Promise<{ readonly store: Store; readonly stored: string[] }> {
  const store = await openStore("memory:", { dir: "/", env: {} });
  const stored: string[] = [];
  const writeAndList: Store["blobs"]["writeFile"] = async (path, mediaType) => {
    stored.push(await readFile(path, "utf8"));
    return store.blobs.writeFile(path, mediaType);
  };
  return { store: { ...store, blobs: { ...store.blobs, writeFile: writeAndList } }, stored };
}

describe("storing the engine's files", () => {
  it("lists every file of every folder by path, with forward slashes", async () => {
    const { store } = await watchedStore();
    const files = await storeFiles(store, await folderOf({ "b/2.bin": "two", "b/1.bin": "one", "a.json": "{}", "b/c/d.bin": "deep", "B.bin": "B" }), undefined);
    expect(files.map(({ path }) => path)).toEqual(["B.bin", "a.json", "b/1.bin", "b/2.bin", "b/c/d.bin"]);
    expect(files.map(({ blob }) => blob.digest)).toEqual(["B", "{}", "one", "two", "deep"].map(digestOf));
    expect(new TextDecoder().decode(await store.blobs.read(files[4]?.blob ?? { mediaType: "", digest: digestOf(""), size: 0 }))).toBe("deep");
  });

  it("keeps nothing of an empty folder, and any number of files", async () => {
    const { store, stored } = await watchedStore();
    expect(await storeFiles(store, await temporaryFolder(), undefined)).toEqual([]);
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`${i}.bin`, `file ${i}`]));
    expect(await storeFiles(store, await folderOf(many), undefined)).toHaveLength(50);
    expect(stored).toHaveLength(50);
  });

  it("gives the files up to the store", async () => {
    const { store } = await watchedStore();
    const folder = await folderOf({ "a.bin": "a" });
    await storeFiles(store, folder, undefined);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("files of an older index", () => {
  async function olderIndex(store: Store): Promise<EngineBase> {
    const contents = { "data/1.bin": "shared", "data/2.bin": "linked too", "meta.json": "old" };
    const files = await storeFiles(store, await folderOf(contents), undefined);
    return { folder: await folderOf(contents), files };
  }
  const linkTo = async (base: EngineBase, path: string, folder: string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await link(join(base.folder, path), join(folder, path));
  };

  it("are not stored again where they are the very same ones", async () => {
    const { store, stored } = await watchedStore();
    const base = await olderIndex(store);
    stored.length = 0;
    const folder = await folderOf({ "data/3.bin": "new", "meta.json": "newer" });
    await linkTo(base, "data/1.bin", folder);
    await linkTo(base, "data/2.bin", folder);
    const files = await storeFiles(store, folder, base);
    expect(stored.toSorted()).toEqual(["new", "newer"]);
    expect(files.map(({ path, blob }) => [path, blob.digest])).toEqual([["data/1.bin", digestOf("shared")], ["data/2.bin", digestOf("linked too")], ["data/3.bin", digestOf("new")], ["meta.json", digestOf("newer")]]);
  });

  it("stay where they are: the older index is in use", async () => {
    const { store } = await watchedStore();
    const base = await olderIndex(store);
    const folder = await folderOf({});
    await linkTo(base, "data/1.bin", folder);
    await storeFiles(store, folder, base);
    expect(await readFile(join(base.folder, "data/1.bin"), "utf8")).toBe("shared");
  });

  it("are told from others of the same name, and copies are read", async () => {
    const { store, stored } = await watchedStore();
    const base = await olderIndex(store);
    stored.length = 0;
    const folder = await folderOf({ "data/1.bin": "shared, but changed" });
    await copyFile(join(base.folder, "data/2.bin"), join(folder, "data/2.bin"));
    const files = await storeFiles(store, folder, base);
    expect(files.map(({ blob }) => blob.digest)).toEqual([digestOf("shared, but changed"), digestOf("linked too")]);
    expect(stored.toSorted()).toEqual(["linked too", "shared, but changed"]);
  });

  it("are stored again when the store has lost them", async () => {
    const { store, stored } = await watchedStore();
    const base = await olderIndex(store);
    stored.length = 0;
    const folder = await folderOf({});
    await linkTo(base, "data/1.bin", folder);
    const forgetful: Store = { ...store, blobs: { ...store.blobs, has: async (digest) => digest !== digestOf("shared") && store.blobs.has(digest) } };
    await storeFiles(forgetful, folder, base);
    expect(stored).toEqual(["shared"]);
  });
});
