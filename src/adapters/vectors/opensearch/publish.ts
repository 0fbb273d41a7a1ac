import { randomBytes } from "node:crypto";
import { z } from "zod";
import { TwelveError } from "../../../core/errors.ts";
import type { VectorWrite } from "../../../ports/vectors.ts";
import { countChunks, type Statistics, weighTerms } from "../bm25/statistics.ts";
import { type ChunkTerms, openTerms } from "../bm25/term.ts";
import { openBulk } from "./bulk.ts";
import type { Connection } from "./connection.ts";
import { chunkDocument, labelKeys, termKey, weighed } from "./convert.ts";
import { aliasOf, Done, findGenerations, indexBody, indexOf, loadingAlias, maxDimensions, weighingDocument, weighingId } from "./layout.ts";
import { patiently } from "./patience.ts";

/** Up to here a frequency is exact in the server's floats. */
const largestWeight = 2 ** 24;
/** The server adds up the frequencies of a document, in a whole number of 32 bits. */
const largestSum = 2 ** 31 - 1;
const largestScale = 2 ** 20;

/** What is known of a chunk when all of them are counted. */
interface Counted {
  readonly id: string;
  readonly labels: readonly string[];
  /** Its terms, as text: maps of a hundred thousand chunks would take a gigabyte. */
  readonly packed: string;
}

/** Loads the rows into a new index beside the old one, which takes its place in one step at the end. */
export async function publishNamespace(connection: Connection, namespace: string, { dimensions, rows, onRows }: Omit<VectorWrite, "base">): Promise<void> {
  if (dimensions > maxDimensions) throw new TwelveError("SERVICE_REJECTED", `OpenSearch holds vectors of at most ${maxDimensions} dimensions, and these have ${dimensions}`);
  const before = await findGenerations(connection, namespace);
  // Of those that are not complete nobody reads; a call that still loads one fails.
  await dropIndexes(connection, before.filter(({ form }) => form === undefined).map(({ index }) => index));
  const index = indexOf(namespace, randomBytes(4).toString("hex"));
  await connection.work({ method: "PUT", path: `/${index}`, body: indexBody({ dimensions, hnsw: connection.hnsw }, loadingAlias(index)), answer: Done });
  try {
    await load(connection, index, rows, onRows);
  } catch (error) {
    await dropIndexes(connection, [index]).catch(() => {});
    if (!(error instanceof TwelveError) || error.code !== "INDEX_NOT_FOUND") throw error;
    throw new TwelveError("RELEASE_CONFLICT", `Another process published or dropped ${namespace} at ${connection.url} meanwhile`, { cause: error });
  }
  // What fails from here on may have happened all the same, so nothing is dropped.
  await patiently(() => putInPlace(connection, namespace, index));
}

/** All documents, searchable when it returns. */
async function load(connection: Connection, index: string, rows: VectorWrite["rows"], onRows: VectorWrite["onRows"]): Promise<void> {
  const bulk = openBulk(connection, loadingAlias(index));
  const terms = await openTerms();
  const counted = countChunks();
  const chunks: Counted[] = [];
  for await (const batch of rows) {
    for (const row of batch) {
      await bulk.add(`c${chunks.length}`, chunkDocument(row, chunks.length));
      const chunk = terms.ofChunk(row);
      counted.add(chunk);
      chunks.push({ id: row.id, labels: labelKeys(row), packed: pack(chunk) });
    }
  }
  onRows?.();
  const statistics = counted.statistics();
  const scale = scaleFor(chunks, statistics);
  for (const [number, { id, labels, packed }] of chunks.entries()) {
    const chunk = unpack(packed);
    const weights = [...weighTerms(chunk, statistics)].map(([term, weight]) => weighed(termKey(chunk.field, term), whole(weight, scale)));
    if (weights.length > 0) await bulk.add(`t${number}`, { id, labels, terms: weights });
  }
  await bulk.add(weighingId, weighingDocument({ fields: [...statistics.keys()], scale }));
  await bulk.flush();
  await patiently(() => refresh(connection, index));
}

async function refresh({ url, work }: Connection, index: string): Promise<void> {
  const { _shards: shards } = await work({ method: "POST", path: `/${index}/_refresh`, answer: Refreshed });
  if (shards.failed > 0) throw new TwelveError("SERVICE_UNAVAILABLE", `${url} could not make all of the index searchable`, { retry: { afterMs: null } });
}

const Refreshed = z.looseObject({ _shards: z.looseObject({ failed: z.int() }) });

/** One step for everybody who asks: the alias, and the end of all other generations. */
async function putInPlace(connection: Connection, namespace: string, index: string): Promise<void> {
  const others = (await findGenerations(connection, namespace)).filter((other) => other.index !== index);
  const actions = [
    { add: { index, alias: aliasOf(namespace) } },
    { remove: { index, alias: loadingAlias(index), must_exist: false } },
    ...others.map((other) => ({ remove_index: { index: other.index } })),
  ];
  await connection.work({ method: "POST", path: "/_aliases", body: { actions }, answer: Done });
}

/** Every generation of it there is. */
export async function dropNamespace(connection: Connection, namespace: string): Promise<void> {
  await dropIndexes(connection, (await findGenerations(connection, namespace)).map(({ index }) => index));
}

/** By their names: some clusters refuse patterns. */
async function dropIndexes({ work }: Connection, indexes: readonly string[]): Promise<void> {
  if (indexes.length > 0) await work({ method: "DELETE", path: `/${indexes.join(",")}`, query: { ignore_unavailable: true }, answer: Done });
}

/** The largest power of two by which every weight can be multiplied; the rest of a weight, less than a millionth as a rule, is rounded away. */
function scaleFor(chunks: readonly Counted[], statistics: Statistics): number {
  let scale = largestScale;
  for (const { packed } of chunks) {
    const weights = [...weighTerms(unpack(packed), statistics).values()];
    const fits = (): boolean => weights.every((weight) => whole(weight, scale) <= largestWeight) && weights.reduce((sum, weight) => sum + whole(weight, scale), 0) <= largestSum;
    while (!fits()) scale /= 2;
  }
  return scale;
}

function pack({ field, length, counts }: ChunkTerms): string {
  return JSON.stringify([field, length, [...counts]]);
}

function unpack(packed: string): ChunkTerms {
  const [field, length, counts] = JSON.parse(packed) as [string, number, [string, number][]];
  return { field, length, counts: new Map(counts) };
}

function whole(weight: number, scale: number): number {
  return Math.max(1, Math.round(weight * scale));
}
