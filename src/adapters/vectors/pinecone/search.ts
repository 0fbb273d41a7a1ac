import { bestFirst } from "../../../core/compare.ts";
import { TwelveError } from "../../../core/errors.ts";
import type { VectorHit, VectorIndex, VectorQuery, VectorRow } from "../../../ports/vectors.ts";
import { openTerms } from "../bm25/term.ts";
import { hitOf } from "../content.ts";
import { askedAgain, type Indexes, type RemoteIndex, type Sleep } from "./connection.ts";
import { filterOf, firstOf, numbersOf, sparseOf, termPlaces, toRow } from "./convert.ts";
import { countRecords, listIds, readMarker, spaceOf } from "./layout.ts";
import { Fetched, type Marker, type Match, Matches, type Stored } from "./schema.ts";

/** https://docs.pinecone.io/reference/api/database-limits/operation-limits */
const mostMatches = 10_000;
const mostAnswerBytes = 4_000_000;
/** IDs of one request, which stand in its address. */
const fetched = 100;
/** A number of a vector as Pinecone writes it. */
const numberBytes = 16;
/** Taken beyond those that are asked for, so that equal scores can be put in the order of their IDs. */
const spare = 8;

export interface Opening {
  readonly indexes: Indexes;
  readonly url: string;
  readonly namespace: string;
  readonly marker: Marker;
  readonly sleep: Sleep;
}

/** A published namespace. Scores are Pinecone's, which may be nearly exact. */
export function openNamespace({ indexes, url, namespace, marker, sleep }: Opening): VectorIndex {
  const { generation, dimensions, fields, chunks, hasZeros, largestBytes } = marker;
  const { vectors, words } = indexes;
  /** What reads everything asks often enough to meet a passing failure. */
  const allVectors = askedAgain(vectors, sleep);
  const space = spaceOf(namespace, generation);
  const placeOf = termPlaces();
  let opening: ReturnType<typeof openTerms> | undefined;

  /** Pinecone answers nothing from a namespace that is gone, as from one in which nothing fits. */
  async function requireThere(): Promise<void> {
    if ((await readMarker(indexes, namespace))?.generation === generation) return;
    throw new TwelveError("INDEX_NOT_FOUND", `${url} no longer holds this loading of ${namespace}`, { fix: "It was dropped or published anew meanwhile: open it again" });
  }

  async function byVector({ vector, topK, filter }: VectorQuery): Promise<readonly VectorHit[]> {
    if (vector === undefined) throw new TypeError("A vector search needs the embedded question");
    const passing = filterOf(filter, hasZeros);
    if (passing === null || vector.every((value) => value === 0)) return [];
    return best(vectors, { vector: numbersOf(vector, vectors.dimension), filter: passing }, topK);
  }

  async function byText({ text, topK, filter }: VectorQuery): Promise<readonly VectorHit[]> {
    const asked = (await (opening ??= openTerms())).ofQuestion(text, fields);
    const sparseVector = sparseOf(firstOf(asked.map(({ field, counts }) => [...counts].map(([term, count]) => [placeOf(field, term), count] as const))));
    const passing = filterOf(filter, false);
    if (passing === null || sparseVector.indices.length === 0) return [];
    return best(words, { sparseVector, filter: passing }, topK);
  }

  async function best(index: RemoteIndex, query: Readonly<Record<string, unknown>>, topK: number): Promise<readonly VectorHit[]> {
    const matchesOf = async (most: number, includeMetadata: boolean): Promise<readonly Match[]> => (await index.ask(Matches, { path: "/query", body: { namespace: space, topK: most, includeMetadata, ...query } })).value.matches;
    let most = Math.min(topK + spare, mostMatches);
    let found = await matchesOf(most, most * largestBytes <= mostAnswerBytes);
    const contents = new Map(found.flatMap(({ id, metadata }) => (metadata == null ? [] : [[id, metadata] as const])));
    // As long as the last one is as good as the last that is wanted, others may be as good and have smaller IDs.
    while (found.length === most && most < mostMatches && found.at(-1)?.score === found[topK - 1]?.score) {
      most = Math.min(most * 10, mostMatches);
      found = await matchesOf(most, false);
    }
    if (found.length === 0) await requireThere();
    const wanted = found.toSorted(bestFirst).slice(0, topK);
    const missing = wanted.filter(({ id }) => !contents.has(id)).map(({ id }) => id);
    for await (const group of recordsOf(index, missing)) for (const [id, { metadata }] of group) contents.set(id, metadata);
    return wanted.flatMap(({ id, score }) => {
      const metadata = contents.get(id);
      return metadata === undefined ? [] : [hitOf(id, metadata.content, score)];
    });
  }

  /** Only as many at once as fit into an answer. */
  async function* recordsOf(index: RemoteIndex, ids: readonly string[]): AsyncGenerator<readonly (readonly [string, Stored])[]> {
    const size = Math.max(1, Math.min(fetched, Math.floor(mostAnswerBytes / (largestBytes + index.dimension * numberBytes))));
    for (let start = 0; start < ids.length; start += size) {
      const query = new URLSearchParams([...ids.slice(start, start + size).map((id): [string, string] => ["ids", id]), ["namespace", space]]);
      yield Object.entries((await index.ask(Fetched, { path: "/vectors/fetch", query })).value.vectors);
    }
  }

  async function* idGroups(): AsyncGenerator<readonly string[]> {
    let isAny = false;
    for await (const ids of listIds(allVectors, space)) {
      isAny ||= ids.length > 0;
      yield ids;
    }
    if (!isAny) await requireThere();
  }

  async function* rowsOf(ids: readonly string[]): AsyncGenerator<readonly VectorRow[]> {
    for await (const group of recordsOf(allVectors, ids)) yield group.map(([id, stored]) => toRow(id, stored, dimensions));
  }

  return {
    search: async (query) => (query.topK < 1 || chunks === 0 ? [] : query.mode === "vector" ? byVector(query) : byText(query)),
    async *ids() {
      for await (const ids of idGroups()) yield* ids;
    },
    async *rows(ids) {
      if (ids !== undefined) yield* rowsOf(ids);
      else for await (const group of idGroups()) yield* rowsOf(group);
    },
    async count() {
      const count = await countRecords(vectors, space);
      if (count === undefined || count === 0) await requireThere();
      return count ?? 0;
    },
    close() {},
  };
}
