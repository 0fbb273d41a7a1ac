import { randomBytes } from "node:crypto";
import { TwelveError } from "../../../core/errors.ts";
import type { VectorWrite } from "../../../ports/vectors.ts";
import { countChunks, weighTerms } from "../bm25/statistics.ts";
import { openTerms } from "../bm25/term.ts";
import { askedAgain, type Indexes, type RemoteIndex } from "./connection.ts";
import { metadataOf, numbersOf, type Sparse, sparseOf, termPlaces, vectorRecord, wordsRecord } from "./convert.ts";
import { countRecords, makeSpace, mark, removeNamespace, spaceOf } from "./layout.ts";
import { type Marker, Matches } from "./schema.ts";
import { openSpool, type Spool } from "./spool.ts";
import { openUpserts, type Upserts, type Written } from "./upsert.ts";
import { type Patience, untilVisible } from "./visible.ts";

export interface Publishing extends Omit<VectorWrite, "base"> {
  readonly namespace: string;
  /** The application's folder, where words are kept meanwhile. */
  readonly dir: string;
  readonly patience: Patience;
}

/** Loads the rows into namespaces of their own at Pinecone, waits until they can be found, and then marks them as published. */
export async function publishNamespace(found: Indexes, publishing: Publishing): Promise<void> {
  const { namespace, dimensions, dir, patience } = publishing;
  const indexes = { ...found, vectors: askedAgain(found.vectors, patience.sleep), words: askedAgain(found.words, patience.sleep) };
  await removeNamespace(indexes, namespace, patience);
  const generation = randomBytes(4).toString("hex");
  const space = spaceOf(namespace, generation);
  for (const index of [indexes.vectors, indexes.words]) await makeSpace(index, space).catch(passUnsupported);
  const spool = await openSpool(dir);
  try {
    const { facts, words, written: vectors } = await loadVectors(found.vectors, space, { ...publishing, spool });
    publishing.onRows?.();
    const texts = await upserting(found.words, space, patience, async (upserts) => {
      for await (const record of words(spool)) await upserts.add(record);
    });
    await untilFound(indexes.vectors, space, vectors, { query: { vector: numbersOf(Float32Array.of(1), found.vectors.dimension) }, patience });
    await untilFound(indexes.words, space, texts, { query: { sparseVector: { indices: [0], values: [1] } }, patience });
    await mark(indexes, namespace, { generation, dimensions, ...facts }, patience);
  } finally {
    await spool.remove();
  }
}

/** Where namespaces cannot be made, the first record makes them. They then index all metadata, which only takes longer. */
function passUnsupported(error: unknown): void {
  if (!(error instanceof TwelveError) || (error.code !== "SERVICE_REJECTED" && error.code !== "SERVICE_NOT_FOUND")) throw error;
}

interface Loaded {
  readonly written: Written;
  readonly facts: Omit<Marker, "generation" | "dimensions">;
  /** The records of the index for words. */
  readonly words: (spool: Spool) => AsyncIterable<string>;
}

/** Everything that must be known before words can be weighed is known when the last vector is in. */
async function loadVectors(index: RemoteIndex, space: string, { rows, spool, patience }: Publishing & { readonly spool: Spool }): Promise<Loaded> {
  const terms = await openTerms();
  const counted = countChunks();
  let chunks = 0;
  let hasZeros = false;
  let largestBytes = 0;
  const written = await upserting(index, space, patience, async (upserts) => {
    for await (const group of rows) {
      for (const row of group) {
        const metadata = metadataOf(row);
        await upserts.add(vectorRecord(row, metadata, index.dimension));
        const chunk = terms.ofChunk(row);
        counted.add(chunk);
        await spool.add({ id: row.id, metadata, chunk });
        chunks += 1;
        hasZeros ||= row.vector.every((value) => value === 0);
        largestBytes = Math.max(largestBytes, Buffer.byteLength(metadata));
      }
    }
  });
  const statistics = counted.statistics();
  const placeOf = termPlaces();
  return {
    written,
    facts: { fields: [...statistics.keys()], chunks, hasZeros, largestBytes },
    async *words(spooled) {
      for await (const { id, metadata, chunk } of spooled.read()) {
        const sparse = sparseOf([...weighTerms(chunk, statistics)].map(([term, weight]) => [placeOf(chunk.field, term), weight]));
        // A chunk without words is found by none.
        if (sparse.indices.length > 0) yield wordsRecord(id, metadata, sparse);
      }
    },
  };
}

async function upserting(index: RemoteIndex, space: string, { sleep }: Patience, work: (upserts: Upserts) => Promise<void>): Promise<Written> {
  const over = new AbortController();
  const upserts = openUpserts(askedAgain(index, sleep, over.signal), space);
  try {
    await work(upserts);
    return await upserts.end();
  } finally {
    // Nothing may arrive after a failure is told, for the namespace is dropped next; and nothing is tried again for it.
    over.abort();
    await upserts.settle();
  }
}

type Question = { readonly vector: readonly number[] } | { readonly sparseVector: Sparse };

/** Waits until Pinecone counts every record, and its answers know the last write. */
async function untilFound(index: RemoteIndex, space: string, { records, lsn }: Written, { query, patience }: { readonly query: Question; readonly patience: Patience }): Promise<void> {
  if (records === 0) return;
  await untilVisible(`all ${records} records of ${space}`, async () => {
    if (((await countRecords(index, space)) ?? 0) < records) return false;
    const answer = await index.ask(Matches, { path: "/query", body: { namespace: space, topK: 1, ...query } });
    return lsn === undefined || answer.lsn === undefined || answer.lsn >= lsn;
  }, patience);
}
