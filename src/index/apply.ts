import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { writeDocument } from "../artifact/document.ts";
import { movePointer } from "../artifact/pointer.ts";
import { refs } from "../artifact/refs.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import { type Descriptor, type Digest, shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { Embedder } from "../ports/embedding.ts";
import type { Store } from "../ports/store.ts";
import type { VectorEngine, VectorRow } from "../ports/vectors.ts";
import { joinHeadings } from "./chunk.ts";
import type { ChunkedDocument } from "./plan.ts";
import { embedProbe, probeMediaType } from "./probe.ts";
import { layOutIndex, readIndexData } from "./read.ts";
import { type Index, type IndexData, indexDataKind } from "./schema.ts";

const rowsAtOnce = 1024;
const writersAtOnce = 8;
const engineFileMediaType = "application/vnd.twelve.engine-file.v1";

export interface EngineInput {
  readonly dir: string;
  readonly index: Descriptor;
  readonly documents: readonly ChunkedDocument[];
  readonly vectors: ReadonlyMap<Digest, Float32Array>;
  readonly embedder: Embedder;
  readonly engine: VectorEngine;
  readonly randomHex: (sizeBytes: number) => string;
  readonly signal: AbortSignal;
}

/**
 * Writes the engine's files beside everything that exists, stores them, reads them back from the store and counts. Only
 * then does a ref say that the index has data; when another process was first, its data stays.
 */
export async function storeIndexData(store: Store, input: EngineInput): Promise<void> {
  const { dir, index, documents, embedder, engine, signal } = input;
  const parent = join(dir, ".twelve", "work");
  const work = join(parent, `index-${input.randomHex(8)}`);
  await removeLeftovers(parent);
  await mkdir(work, { recursive: true });
  try {
    const probe = await store.blobs.write(await embedProbe(embedder, signal), probeMediaType);
    await engine.write(work, { rows: rowsOf(input), dimensions: embedder.identity.dimensions });
    signal.throwIfAborted();
    const files = await storeFiles(store, work);
    const data: IndexData = { version: 1, engine: engine.name, engineVersion: engine.version, files, probe };
    await checkHeld(store, { ...input, data, chunks: documents.reduce((sum, { chunks }) => sum + chunks.length, 0) });
    const pointer = { data: await writeDocument(store, indexDataKind, data) };
    const name = refs.indexData(index.digest);
    // A ref is here already when another process was first, which is fine, or when its data is damaged.
    if (!(await store.refs.create(name, canonicalJson(pointer))) && !(await isHeld(store, index, engine))) await movePointer(store, name, pointer);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Makes the index the newest of its name. The last step: until then nothing points to it. */
export async function publishIndex(store: Store, { app, name }: Index, index: Descriptor): Promise<void> {
  await store.refs.create(refs.index(app, name, index.digest), canonicalJson({ index }));
  await movePointer(store, refs.latestIndex(app, name), { index });
}

/** Whether the store holds every file of the index's data, for this engine. */
export async function isHeld(store: Store, index: Descriptor, engine: VectorEngine): Promise<boolean> {
  let data: IndexData;
  try {
    data = await readIndexData(store, index);
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
  if (data.engine !== engine.name) return false;
  const blobs = [data.probe, ...data.files.map(({ blob }) => blob)];
  const found = await Promise.all(blobs.map(({ digest }) => store.blobs.has(digest)));
  return found.every(Boolean);
}

/** An artifact that is missing, damaged or of another version is made again. */
export function isGone(error: unknown): boolean {
  return error instanceof TwelveError && ["INDEX_NOT_FOUND", "BLOB_NOT_FOUND", "BLOB_CORRUPT", "ARTIFACT_INVALID"].includes(error.code);
}

async function* rowsOf({ documents, vectors, signal }: EngineInput): AsyncIterable<readonly VectorRow[]> {
  let rows: VectorRow[] = [];
  for (const { path, chunks } of documents) {
    for (const { id, headings, text, textDigest } of chunks) {
      const vector = vectors.get(textDigest);
      if (vector === undefined) throw new Error(`Chunk ${id} of ${path} has no vector`);
      rows.push({ id, document: path, headings: joinHeadings(headings), text, language: null, metadata: {}, vector });
    }
    if (rows.length < rowsAtOnce) continue;
    signal.throwIfAborted();
    yield rows;
    rows = [];
  }
  if (rows.length > 0) yield rows;
}

async function storeFiles(store: Store, folder: string): Promise<IndexData["files"]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1).split(sep).join("/"));
  const files: { path: string; blob: Descriptor }[] = [];
  const queue = paths.values();
  await Promise.all(Array.from({ length: writersAtOnce }, async () => {
    for (const path of queue) files.push({ path, blob: await store.blobs.writeFile(join(folder, path), engineFileMediaType) });
  }));
  return files.sort((left, right) => (left.path < right.path ? -1 : 1));
}

async function checkHeld(store: Store, { index, data, dir, engine, chunks }: EngineInput & { readonly data: IndexData; readonly chunks: number }): Promise<void> {
  const opened = await engine.open(await layOutIndex(store, { index, data, dir }));
  try {
    const held = await opened.count();
    if (held !== chunks) throw new TwelveError("SERVICE_FAILED", `${engine.name} holds ${held} of the ${chunks} chunks of index ${shortDigest(index.digest)}; the index was not published`);
  } finally {
    opened.close();
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
