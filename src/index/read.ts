import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readDocument } from "../artifact/document.ts";
import { readPointer } from "../artifact/pointer.ts";
import { refs } from "../artifact/refs.ts";
import { type Descriptor, hexOf, shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { Store } from "../ports/store.ts";
import { Index, IndexData, indexDataKind, indexDataPointerKind, indexKind, indexPointerKind } from "./schema.ts";

export interface StoredIndex {
  readonly descriptor: Descriptor;
  readonly index: Index;
}

/** The newest index of that name, or undefined before the first one. */
export async function findIndex(store: Store, app: string, name: string): Promise<StoredIndex | undefined> {
  const pointer = await readPointer(store, indexPointerKind, refs.latestIndex(app, name));
  if (pointer === undefined) return undefined;
  const descriptor = pointer.value.index;
  return { descriptor, index: await readDocument(store, indexKind, descriptor) };
}

/**
 * The newest index of that name, or the one whose digest begins with `digest` (with or without `sha256:`).
 * Fails with INDEX_NOT_FOUND.
 */
export async function readIndex(store: Store, app: string, name: string, digest?: string): Promise<StoredIndex> {
  const fix = `Run \`twelve index ${name}\``;
  if (digest === undefined) {
    const found = await findIndex(store, app, name);
    if (found !== undefined) return found;
    throw new TwelveError("INDEX_NOT_FOUND", `${store.url} holds no index "${name}" of ${app}`, { fix });
  }
  const folder = dirname(refs.latestIndex(app, name));
  const prefix = `${folder}/${digest.replace(/^sha256:/, "")}`;
  const names = (await store.refs.list(`${folder}/`)).filter((ref) => ref.startsWith(prefix) && !ref.endsWith("/latest"));
  const [ref] = names;
  if (ref === undefined) throw new TwelveError("INDEX_NOT_FOUND", `${store.url} holds no index "${name}" of ${app} with digest ${digest}`, { fix });
  if (names.length > 1) throw new TwelveError("INDEX_NOT_FOUND", `${digest} begins the digests of ${names.length} indexes "${name}"`, { fix: "Give more digits of the digest" });
  const pointer = await readPointer(store, indexPointerKind, ref);
  if (pointer === undefined) throw new TwelveError("INDEX_NOT_FOUND", `${store.url} lost the ref ${ref}`, { fix });
  return { descriptor: pointer.value.index, index: await readDocument(store, indexKind, pointer.value.index) };
}

/** How an index is held in this store. Fails with INDEX_NOT_FOUND when its engine files were never stored here. */
export async function readIndexData(store: Store, index: Descriptor): Promise<IndexData> {
  const pointer = await readPointer(store, indexDataPointerKind, refs.indexData(index.digest));
  if (pointer !== undefined) return readDocument(store, indexDataKind, pointer.value.data);
  throw new TwelveError("INDEX_NOT_FOUND", `${store.url} holds no engine files of index ${shortDigest(index.digest)}`);
}

export interface OpenedIndexData {
  /** The engine's files; open it with the engine that `data` names. Nothing in it may be written. */
  readonly folder: string;
  readonly data: IndexData;
  /** The stored vectors for `checkProbe`. */
  readonly probe: Uint8Array;
}

/**
 * Lays out the engine's files below `.twelve/cache/index/` of the application folder `dir`. The store verifies every
 * file's digest as it is laid out; a folder that is there is used again when no file was touched since.
 */
export async function openIndexData(store: Store, index: Descriptor, dir: string): Promise<OpenedIndexData> {
  const data = await readIndexData(store, index);
  const [probe, folder] = await Promise.all([store.blobs.read(data.probe), layOutIndex(store, { index, data, dir })]);
  return { folder, data, probe };
}

/** As above, for data that no ref points to yet. Gives the folder. */
export async function layOutIndex(store: Store, { index, data, dir }: { readonly index: Descriptor; readonly data: IndexData; readonly dir: string }): Promise<string> {
  const folder = join(dir, ".twelve", "cache", "index", hexOf(index.digest));
  await layOut(store, data, folder);
  return folder;
}

const sealName = "twelve-seal.json";

async function layOut(store: Store, data: IndexData, folder: string): Promise<void> {
  if (await isIntact(data, folder)) return;
  const fresh = `${folder}.${randomBytes(6).toString("hex")}`;
  await mkdir(fresh, { recursive: true });
  try {
    for (const path of new Set(data.files.map(({ path }) => dirname(path)))) await mkdir(join(fresh, path), { recursive: true });
    await Promise.all(data.files.map(({ path, blob }) => store.blobs.readFile(blob, join(fresh, path))));
    await writeFile(join(fresh, sealName), await seal(data, fresh));
    await replaceFolder(data, fresh, folder);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** Two processes may lay out the same index at once: the second one finds the first one's folder and keeps it. */
async function replaceFolder(data: IndexData, fresh: string, folder: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await rename(fresh, folder);
    } catch (cause) {
      if (await isIntact(data, folder)) return;
      if (attempt === 3) throw new TwelveError("STORE_UNUSABLE", `Cannot lay out index files in ${folder}: ${String(cause)}`, { cause });
      await rm(folder, { recursive: true, force: true });
    }
  }
}

async function isIntact(data: IndexData, folder: string): Promise<boolean> {
  try {
    return (await readFile(join(folder, sealName), "utf8")) === (await seal(data, folder));
  } catch {
    return false;
  }
}

/**
 * What the file system says of every file, with the digest it was verified against. Any write changes it, so equal
 * seals mean that hashing the files again would find nothing. The change time is left out: it moves whenever the
 * store links the same file once more.
 */
async function seal(data: IndexData, folder: string): Promise<string> {
  const files = data.files.map(async ({ path, blob }) => {
    const { size, mtimeMs, ino } = await stat(join(folder, path));
    return [path, blob.digest, size, mtimeMs, ino];
  });
  return JSON.stringify({ engine: data.engine, engineVersion: data.engineVersion, files: await Promise.all(files) });
}
