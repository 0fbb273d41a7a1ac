import { parseDocument } from "../artifact/document.ts";
import { refs } from "../artifact/refs.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import { type Descriptor, type Digest, digestOf, hexOf } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { EmbedderIdentity } from "../ports/embedding.ts";
import type { Store } from "../ports/store.ts";
import { planMerge } from "./merge-plan.ts";
import { isSameProbe, probeMediaType } from "./probe.ts";
import { blobsOfBatch, digestBytes, type EmbeddingBatch, type EmbeddingBatches, embeddingBatchesKind, embeddingKeysType, embeddingVectorsType } from "./schema.ts";

/**
 * The vectors that one embedder ever gave, kept in the store by the digest of their text, so that a colleague or a build
 * machine reuses them. A batch is two blobs, keys and vectors; one ref lists the batches.
 */
export interface Embeddings {
  /** Which of the texts have a vector. No vector is read for that. */
  has(text: Digest): boolean;
  /** The known ones among these texts' vectors. A batch that is missing or damaged leaves the list; its texts are not known any more. */
  find(texts: Iterable<Digest>): Promise<Map<Digest, Float32Array>>;
  /** Durable when it returns. Each write moves the ref, so what comes while one is under way is written together in the next. */
  append(vectors: ReadonlyMap<Digest, Float32Array>): Promise<void>;
  /** Learns what other processes have stored since. */
  refresh(): Promise<void>;
  /** Batches that turned out to be missing or damaged. */
  readonly damaged: number;
}

interface Place {
  readonly batch: EmbeddingBatch;
  readonly row: number;
}

/** What is written together at most, beyond the first call: it is in memory twice. */
const togetherBytes = 16 * 1024 * 1024;
/** Batches of vectors that stay in memory: neighbouring documents mostly have theirs in one. */
const batchesInMemory = 2;

/**
 * `probe` are the vectors of the probe texts now: a model that changed under its name gets a list of its own, so that old and new
 * vectors are never mixed. Without them the newest list is taken as it is, which is good enough for counting.
 */
export async function openEmbeddings(store: Store, identity: EmbedderIdentity, probe: Uint8Array | undefined): Promise<Embeddings> {
  const { dimensions } = identity;
  const embedder = digestOf(canonicalJson(identity));
  const name = (await findList(store, embedder, { probe, dimensions })) ?? refs.embeddingList(embedder, digestOf(probe ?? new Uint8Array()));
  let storedProbe: Descriptor | undefined;
  const places = new Map<string, Place>();
  const remembered = new Set<Digest>();
  const inMemory = new Map<Digest, Uint8Array>();
  let damaged = 0;
  let last: Promise<unknown> = Promise.resolve();
  /** The write that has not begun, and what it will hold. */
  let next: { readonly groups: ReadonlyMap<Digest, Float32Array>[]; readonly written: Promise<void> } | undefined;

  const list = async (): Promise<{ readonly batches: readonly EmbeddingBatch[]; readonly tag: string | undefined }> => {
    const ref = await store.refs.read(name);
    if (ref === undefined) return { batches: [], tag: undefined };
    const stored = parseDocument(embeddingBatchesKind, ref.value, `Ref ${name}`);
    storedProbe = stored.probe;
    return { batches: stored.batches, tag: ref.tag };
  };

  /** Moves the list from what it is to what `change` makes of it, also while other processes move it. */
  const update = async (change: (batches: readonly EmbeddingBatch[]) => Promise<readonly EmbeddingBatch[]> | readonly EmbeddingBatch[]): Promise<void> => {
    for (;;) {
      const { batches, tag } = await list();
      storedProbe ??= await store.blobs.write(probe ?? new Uint8Array(), probeMediaType);
      const value = canonicalJson({ version: 2, dimensions, probe: storedProbe, batches: [...(await change(batches))] } satisfies EmbeddingBatches);
      if (tag === undefined ? await store.refs.create(name, value) : await store.refs.replace(name, value, tag)) return;
    }
  };

  /** undefined for a blob that is missing or damaged. */
  const read = async (batch: EmbeddingBatch, which: "keys" | "vectors"): Promise<Uint8Array | undefined> => {
    try {
      return await store.blobs.read(blobsOfBatch(batch, dimensions)[which]);
    } catch (error) {
      if (error instanceof TwelveError && (error.code === "BLOB_CORRUPT" || error.code === "BLOB_NOT_FOUND")) return undefined;
      throw error;
    }
  };

  const vectorsOf = async (batch: EmbeddingBatch): Promise<Uint8Array | undefined> => {
    const known = inMemory.get(batch.vectors) ?? (await read(batch, "vectors"));
    if (known === undefined) return undefined;
    inMemory.delete(batch.vectors);
    inMemory.set(batch.vectors, known);
    for (const digest of [...inMemory.keys()].slice(0, -batchesInMemory)) inMemory.delete(digest);
    return known;
  };

  const drop = async (gone: readonly EmbeddingBatch[]): Promise<void> => {
    damaged += gone.length;
    const stays = notIn(gone);
    for (const [key, { batch }] of places) if (!stays(batch)) places.delete(key);
    await update((batches) => batches.filter(stays));
  };

  const remember = (batch: EmbeddingBatch, keys: Uint8Array): void => {
    remembered.add(batch.vectors);
    const hex = Buffer.from(keys.buffer, keys.byteOffset, keys.byteLength).toString("hex");
    for (let row = 0; row < batch.count; row++) places.set(hex.slice(row * digestBytes * 2, (row + 1) * digestBytes * 2), { batch, row });
  };

  /** Few batches are quick to look through. What cannot be read stays as it is. */
  const merged = async (batches: readonly EmbeddingBatch[]): Promise<readonly EmbeddingBatch[]> => {
    const taken = planMerge(batches, dimensions);
    if (taken.length === 0) return batches;
    const found = await Promise.all(taken.map(async (batch) => ({ batch, keys: await read(batch, "keys"), vectors: await read(batch, "vectors") })));
    const whole = found.flatMap(({ batch, keys, vectors }) => (keys === undefined || vectors === undefined ? [] : [{ batch, keys, vectors }]));
    if (whole.length < 2) return batches;
    const joined = await write(whole.map(({ keys }) => keys), whole.map(({ vectors }) => vectors));
    return [...batches.filter(notIn(whole.map(({ batch }) => batch))), joined];
  };

  const write = async (keys: readonly Uint8Array[], vectors: readonly Uint8Array[]): Promise<EmbeddingBatch> => {
    const allKeys = Buffer.concat(keys);
    const [storedKeys, storedVectors] = await Promise.all([store.blobs.write(allKeys, embeddingKeysType), store.blobs.write(Buffer.concat(vectors), embeddingVectorsType)]);
    const batch = { count: allKeys.length / digestBytes, keys: storedKeys.digest, vectors: storedVectors.digest };
    remember(batch, allKeys);
    return batch;
  };

  const append = async (groups: readonly ReadonlyMap<Digest, Float32Array>[]): Promise<void> => {
    const keys = Buffer.from(groups.flatMap((group) => [...group.keys()].map(hexOf)).join(""), "hex");
    // Every platform that the product supports is little-endian, which is how the floats are stored.
    const vectors = groups.flatMap((group) => [...group.values()].map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)));
    const batch = await write([keys], vectors);
    await update(async (batches) => [...(await merged(batches.filter(notIn([batch])))), batch]);
  };

  const refresh = async (): Promise<void> => {
    const batches = (await list()).batches.filter(({ vectors }) => !remembered.has(vectors));
    const keys = await Promise.all(batches.map((batch) => read(batch, "keys")));
    const gone: EmbeddingBatch[] = [];
    for (const [i, batch] of batches.entries()) {
      const found = keys[i];
      if (found === undefined) gone.push(batch);
      else remember(batch, found);
    }
    if (gone.length > 0) await drop(gone);
  };
  await refresh();

  return {
    has: (text) => places.has(hexOf(text)),
    async find(texts) {
      const found = new Map<Digest, Float32Array>();
      const wanted = new Map<EmbeddingBatch, [Digest, number][]>();
      for (const text of texts) {
        const place = places.get(hexOf(text));
        if (place === undefined) continue;
        const rows = wanted.get(place.batch) ?? [];
        rows.push([text, place.row]);
        wanted.set(place.batch, rows);
      }
      for (const [batch, rows] of wanted) {
        const bytes = await vectorsOf(batch);
        if (bytes === undefined) await drop([batch]);
        // Copies, so that a few wanted vectors do not keep a whole batch in memory.
        else for (const [text, row] of rows) found.set(text, new Float32Array(Uint8Array.from(bytes.subarray(row * dimensions * 4, (row + 1) * dimensions * 4)).buffer));
      }
      return found;
    },
    append(vectors) {
      const texts = next?.groups.reduce((sum, { size }) => sum + size, vectors.size) ?? 0;
      if (next !== undefined && texts * dimensions * 4 <= togetherBytes) {
        next.groups.push(vectors);
        return next.written;
      }
      const groups = [vectors];
      const begin = (): Promise<void> => {
        if (next?.groups === groups) next = undefined;
        return append(groups);
      };
      const written = last.then(begin);
      last = written.catch(() => {});
      next = { groups, written };
      return written;
    },
    refresh,
    get damaged() {
      return damaged;
    },
  };
}

/** Batches of other texts may have the very same vectors. */
function notIn(others: readonly EmbeddingBatch[]): (batch: EmbeddingBatch) => boolean {
  const names = new Set(others.map(({ keys, vectors }) => keys + vectors));
  return ({ keys, vectors }) => !names.has(keys + vectors);
}

/** The ref of the vectors that this embedder gives, told by its probe. */
async function findList(store: Store, embedder: Digest, { probe, dimensions }: { readonly probe: Uint8Array | undefined; readonly dimensions: number }): Promise<string | undefined> {
  const names = (await store.refs.list(refs.embeddings(embedder))).filter((name) => /\/v2-[0-9a-f]+$/.test(name));
  if (probe === undefined) return names.at(-1);
  for (const name of names) {
    const ref = await store.refs.read(name);
    if (ref === undefined) continue;
    const { probe: stored } = parseDocument(embeddingBatchesKind, ref.value, `Ref ${name}`);
    const vectors = await store.blobs.read(stored).catch((error: unknown) => {
      // Vectors whose origin cannot be told any more are not used.
      if (error instanceof TwelveError && (error.code === "BLOB_CORRUPT" || error.code === "BLOB_NOT_FOUND")) return undefined;
      throw error;
    });
    if (vectors !== undefined && isSameProbe(vectors, probe, dimensions)) return name;
  }
  return undefined;
}
