import { availableParallelism } from "node:os";
import type { Query, Table, VectorQuery as EngineQuery } from "@lancedb/lancedb";
import { bestFirst } from "../../../core/compare.ts";
import { TwelveError } from "../../../core/errors.ts";
import { openTurns } from "../../../core/turns.ts";
import type { VectorHit, VectorIndex, VectorQuery } from "../../../ports/vectors.ts";
import { type FoundRow, type StoredRow, toHits, toRows } from "./convert.ts";
import { idsIn, whereOf } from "./filter.ts";
import { withoutStopWords } from "./language.ts";
import { freeResultsSoon, loadLance } from "./load.ts";
import { chunksOf, lanceVersion, readShape, type Shape, tableName } from "./shape.ts";

const columns = ["id", "document", "headings", "metadata"];
/** Words of a question beyond this are of no use to a search and cost time. */
const maxQuestionLength = 4096;
const maxBoost = 1.5;
/** Of the vector index's partitions; less is faster and misses more of the nearest. */
const probedShare = 0.3;
const leastProbed = 8;
/** Vectors that are compared exactly after the quantised ones. */
const leastRefined = 150;
/** Equal scores are sought among so many at most. */
const maxTies = 1024;

/** Opens a folder that `writeIndex` made. Fails with ARTIFACT_INVALID. */
export async function openIndex(folder: string, { exactRows }: Pick<OpenOptions, "exactRows"> = {}): Promise<VectorIndex> {
  const lance = await loadLance();
  const shape = await readShape(folder);
  const fix = "Run `twelve index` to make the index again";
  if (shape === undefined) throw new TwelveError("ARTIFACT_INVALID", `${folder} holds no index of this version of twelve`, { fix });
  try {
    return await openTable(await (await lance.connect(folder)).openTable(tableName), shape, { exactRows, searchesAtOnce: 2 * availableParallelism() });
  } catch (cause) {
    throw new TwelveError("ARTIFACT_INVALID", `${folder} holds no index that LanceDB ${lanceVersion} can open`, { cause, fix });
  }
}

interface OpenOptions {
  /** Up to so many chunks the vector index, if any, holds the vectors as they are. */
  readonly exactRows?: number | undefined;
  /** Others wait: each reads its vectors into memory, and no processor is left for more. Whatever the files are far from has no limit. */
  readonly searchesAtOnce?: number;
  /** When the engine gives up a search. */
  readonly timeoutMs?: number;
}

/** A table that `writeIndex` made, wherever its files are. */
export async function openTable(table: Table, shape: Shape, { exactRows = 0, searchesAtOnce = Number.POSITIVE_INFINITY, ...limits }: OpenOptions = {}): Promise<VectorIndex> {
  const lance = await loadLance();
  freeResultsSoon();
  const fields = Object.keys(shape.fields);
  const selected = [...columns, ...fields];
  const boosts = boostsOf(shape);
  const isExact = chunksOf(shape) <= exactRows;
  const inTurn = openTurns(searchesAtOnce);

  async function byVector({ vector, filter }: VectorQuery, limit: number): Promise<readonly VectorHit[]> {
    if (vector === undefined) throw new TypeError("A vector search needs the embedded question");
    const query = table.query().nearestTo(vector).distanceType("cosine");
    if (shape.partitions !== null) {
      // Chunks that match a filter may stand anywhere, so all partitions are then looked at.
      const probed = !isExact && (filter === undefined || Object.keys(filter).length === 0) ? Math.max(leastProbed, Math.ceil(shape.partitions * probedShare)) : shape.partitions;
      // The index may hold quantised vectors: take more of them, and order the best by their exact vectors.
      query.nprobes(probed).maximumNprobes(Math.max(probed, shape.partitions));
      if (!isExact) query.refineFactor(Math.max(3, Math.ceil(leastRefined / limit)));
    }
    return found(query.select([...selected, "_distance"]), whereOf(filter), limit);
  }

  async function byText({ text, filter }: VectorQuery, limit: number): Promise<readonly VectorHit[]> {
    // A match query takes its text as words: operators and quotes in a question mean nothing.
    const words = withoutStopWords(text.slice(0, maxQuestionLength).toWellFormed(), fields);
    const match = fields.length === 1 ? new lance.MatchQuery(words, fields[0] ?? "") : new lance.MultiMatchQuery(words, fields, { boosts });
    return found(table.query().fullTextSearch(match).select([...selected, "_score"]), whereOf(filter), limit);
  }

  async function found(query: Query | EngineQuery, where: string | undefined, limit: number): Promise<readonly VectorHit[]> {
    if (where !== undefined) query.where(where);
    // The engine promises no order for equal scores.
    return toHits((await inTurn(() => query.limit(limit).toArray(limits))) as readonly FoundRow[], fields).toSorted(bestFirst);
  }

  return {
    async search(query) {
      if (fields.length === 0) return [];
      return stable(query.topK, (limit) => (query.mode === "vector" ? byVector(query, limit) : byText(query, limit)));
    },
    async *ids() {
      for await (const batch of table.query().select(["id"])) for (const id of batch.getChild("id") ?? []) yield String(id);
    },
    async *rows(ids) {
      if (fields.length === 0 || ids?.length === 0) return;
      const query = table.query().select([...selected, "labels", "field", "vector"]);
      if (ids !== undefined) query.where(idsIn(ids));
      for await (const batch of query) yield toRows(batch.toArray() as unknown as readonly StoredRow[], fields);
    },
    count: () => table.countRows(),
    close: () => table.close(),
  };
}

/** The engine cuts a row of equal scores anywhere. So ask for more, until the place of the cut no longer matters. */
async function stable(topK: number, search: (limit: number) => Promise<readonly VectorHit[]>): Promise<readonly VectorHit[]> {
  for (let limit = topK + 8; ; limit *= 4) {
    const hits = await search(limit);
    const isSettled = hits.length < limit || hits.at(-1)?.score !== hits[topK - 1]?.score;
    if (isSettled || limit >= maxTies) return hits.slice(0, topK);
  }
}

/**
 * The engine knows how rare a word is only within its column, so the few chunks of one language would score far below
 * the many of another. A word of a single chunk gets the weight that it would have among all chunks, up to a limit: the
 * rarest languages are often texts whose language was taken for another, and should not come first.
 */
function boostsOf(shape: Shape): number[] {
  const { fields } = shape;
  const all = chunksOf(shape);
  const weight = (count: number): number => Math.log(1 + (count - 0.5) / 1.5);
  return Object.values(fields).map((count) => Math.min(maxBoost, weight(all) / weight(count)));
}
