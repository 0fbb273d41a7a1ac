import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeDocument } from "../artifact/document.ts";
import { movePointer } from "../artifact/pointer.ts";
import { refs } from "../artifact/refs.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import { type Descriptor, shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { Store } from "../ports/store.ts";
import type { VectorEngine } from "../ports/vectors.ts";
import { type EngineBase, storeFiles } from "./engine-files.ts";
import { probeMediaType } from "./probe.ts";
import { layOutIndex, readIndexData } from "./read.ts";
import { type Index, type IndexData, indexDataKind } from "./schema.ts";

export interface EngineData {
  /** The application's folder. */
  readonly dir: string;
  readonly index: Descriptor;
  readonly chunks: number;
  /** The vectors of the probe texts, as `embedProbe` gives them. */
  readonly probe: Uint8Array;
  readonly engine: VectorEngine;
  /** Where the engine has written the index; the files are taken from there. */
  readonly work: string;
  /** What it was written on. */
  readonly base: EngineBase | undefined;
  /** Whether data that is there already is taken for wrong. */
  readonly isRebuilt: boolean;
}

/**
 * Stores what the engine has written, reads it back from the store and counts. Only then does a ref say that the index has
 * data; when another process was first, its data stays.
 */
export async function storeIndexData(store: Store, { dir, index, chunks, probe, engine, work, base, isRebuilt }: EngineData): Promise<void> {
  const [storedProbe, files] = await Promise.all([store.blobs.write(probe, probeMediaType), storeFiles(store, work, base)]);
  const data: IndexData = { version: 1, engine: engine.name, engineVersion: engine.version, files, probe: storedProbe };
  const opened = await engine.open(await layOutIndex(store, { index, data, dir }));
  try {
    const held = await opened.count();
    if (held !== chunks) throw new TwelveError("SERVICE_FAILED", `${engine.name} holds ${held} of the ${chunks} chunks of index ${shortDigest(index.digest)}; the index was not published`);
  } finally {
    opened.close();
  }
  const pointer = { data: await writeDocument(store, indexDataKind, data) };
  const name = refs.indexData(index.digest);
  // A ref is here already when another process was first, which is fine, or when its data is damaged.
  if (!(await store.refs.create(name, canonicalJson(pointer))) && (isRebuilt || !(await isHeld(store, index, engine)))) await movePointer(store, name, pointer);
}

/** Makes the index the newest of its name. The last step: until then nothing points to it. */
export async function publishIndex(store: Store, { app, name }: Index, index: Descriptor): Promise<void> {
  await store.refs.create(refs.index(app, name, index.digest), canonicalJson({ index }));
  await movePointer(store, refs.latestIndex(app, name), { index });
}

/** Whether the store holds every file of the index's data, written by this version of this engine: another one may not be able to open them. */
export async function isHeld(store: Store, index: Descriptor, engine: Pick<VectorEngine, "name" | "version">): Promise<boolean> {
  let data: IndexData;
  try {
    data = await readIndexData(store, index);
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
  if (data.engine !== engine.name || data.engineVersion !== engine.version) return false;
  const blobs = [data.probe, ...data.files.map(({ blob }) => blob)];
  const found = await Promise.all(blobs.map(({ digest }) => store.blobs.has(digest)));
  return found.every(Boolean);
}

/** An artifact that is missing, damaged or of another version is made again. */
export function isGone(error: unknown): boolean {
  return error instanceof TwelveError && ["INDEX_NOT_FOUND", "BLOB_NOT_FOUND", "BLOB_CORRUPT", "ARTIFACT_INVALID"].includes(error.code);
}

/** A folder for the engine to write in, beside everything that exists; it is gone when `write` has ended. */
export async function inWorkFolder<Result>(dir: string, randomHex: (sizeBytes: number) => string, write: (folder: string) => Promise<Result>): Promise<Result> {
  const parent = join(dir, ".twelve", "work");
  const work = join(parent, `index-${randomHex(8)}`);
  await removeLeftovers(parent);
  await mkdir(work, { recursive: true });
  try {
    return await write(work);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const leftoverMs = 24 * 60 * 60 * 1000;

/** Work folders of runs that were killed. A day, because another process may be at work in a younger one. */
async function removeLeftovers(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((each) => each.startsWith("index-"))) {
    const { mtimeMs } = await stat(join(parent, name)).catch(() => ({ mtimeMs: Infinity }));
    if (Date.now() - mtimeMs > leftoverMs) await rm(join(parent, name), { recursive: true, force: true });
  }
}
