import { parseDocument } from "../artifact/document.ts";
import { refs } from "../artifact/refs.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import { type Descriptor, type Digest, digestOf, hexOf } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { EmbedderIdentity } from "../ports/embedding.ts";
import type { Store } from "../ports/store.ts";
import { EmbeddingBatches, embeddingBatchesKind } from "./schema.ts";

/**
 * The vectors that one embedder ever gave, kept in the store by the digest of their text. A batch is a blob of records
 * of one size, each a text's digest and its vector; one ref lists the batches.
 */
export interface Embeddings {
  /** The known vectors of these texts. Batches that are missing or damaged leave the list; their texts are embedded again. */
  load(wanted: ReadonlyMap<Digest, unknown>): Promise<{ readonly vectors: Map<Digest, Float32Array>; readonly damaged: readonly Descriptor[] }>;
  /** Durable when it returns. */
  append(vectors: ReadonlyMap<Digest, Float32Array>): Promise<void>;
}

const mediaType = "application/vnd.twelve.embeddings.v1";
const digestBytes = 32;
/** This many small batches become one, so that the list stays short and loading stays a matter of a few reads. */
const compactFrom = 32;
const smallBytes = 16 * 1024 * 1024;

export function openEmbeddings(store: Store, identity: EmbedderIdentity): Embeddings {
  const name = `${refs.embeddings(digestOf(canonicalJson(identity)))}batches`;
  const recordBytes = digestBytes + identity.dimensions * 4;

  async function list(): Promise<{ readonly batches: readonly Descriptor[]; readonly tag: string | undefined }> {
    const ref = await store.refs.read(name);
    if (ref === undefined) return { batches: [], tag: undefined };
    return { batches: parseDocument(embeddingBatchesKind, ref.value, `Ref ${name}`).batches, tag: ref.tag };
  }

  /** Moves the list from what it is to what `change` makes of it, also while other processes move it. */
  async function update(change: (batches: readonly Descriptor[]) => Promise<readonly Descriptor[]> | readonly Descriptor[]): Promise<void> {
    for (;;) {
      const { batches, tag } = await list();
      const value = canonicalJson({ version: 1, batches: [...(await change(batches))] } satisfies EmbeddingBatches);
      if (tag === undefined ? await store.refs.create(name, value) : await store.refs.replace(name, value, tag)) return;
    }
  }

  async function compacted(batches: readonly Descriptor[]): Promise<readonly Descriptor[]> {
    const small = batches.filter(({ size }) => size < smallBytes);
    if (small.length < compactFrom) return batches;
    const merged: Uint8Array[] = [];
    let total = 0;
    for (const batch of small) {
      if (total >= smallBytes) break;
      const bytes = await readBatch(batch);
      if (bytes === undefined) return batches;
      merged.push(bytes);
      total += batch.size;
    }
    const taken = new Set(small.slice(0, merged.length));
    return [...batches.filter((batch) => !taken.has(batch)), await store.blobs.write(Buffer.concat(merged), mediaType)];
  }

  /** undefined for a batch that is missing or damaged. */
  async function readBatch(batch: Descriptor): Promise<Uint8Array | undefined> {
    try {
      const bytes = await store.blobs.read(batch);
      return bytes.length % recordBytes === 0 ? bytes : undefined;
    } catch (error) {
      if (error instanceof TwelveError && (error.code === "BLOB_CORRUPT" || error.code === "BLOB_NOT_FOUND")) return undefined;
      throw error;
    }
  }

  return {
    async load(wanted) {
      const { batches } = await list();
      const vectors = new Map<Digest, Float32Array>();
      const damaged: Descriptor[] = [];
      await Promise.all(batches.map(async (batch) => {
        const bytes = await readBatch(batch);
        if (bytes === undefined) damaged.push(batch);
        else for (const [digest, vector] of recordsIn(bytes, recordBytes)) if (wanted.has(digest)) vectors.set(digest, vector());
      }));
      const gone = new Set(damaged.map(({ digest }) => digest));
      if (gone.size > 0) await update((current) => current.filter(({ digest }) => !gone.has(digest)));
      return { vectors, damaged };
    },

    async append(vectors) {
      const batch = await store.blobs.write(encode(vectors, recordBytes), mediaType);
      await update(async (batches) => [...(await compacted(batches.filter(({ digest }) => digest !== batch.digest))), batch]);
    },
  };
}

/** Every platform that the product supports is little-endian, which is how the floats are stored. */
function encode(vectors: ReadonlyMap<Digest, Float32Array>, recordBytes: number): Uint8Array {
  const bytes = Buffer.alloc(vectors.size * recordBytes);
  let offset = 0;
  for (const [digest, vector] of vectors) {
    bytes.write(hexOf(digest), offset, "hex");
    bytes.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), offset + digestBytes);
    offset += recordBytes;
  }
  return bytes;
}

function* recordsIn(bytes: Uint8Array, recordBytes: number): Iterable<readonly [Digest, () => Float32Array]> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 0; offset < buffer.length; offset += recordBytes) {
    const digest: Digest = `sha256:${buffer.toString("hex", offset, offset + digestBytes)}`;
    // A copy, so that a few wanted vectors do not keep a whole batch in memory.
    yield [digest, () => new Float32Array(Uint8Array.from(buffer.subarray(offset + digestBytes, offset + recordBytes)).buffer)];
  }
}
