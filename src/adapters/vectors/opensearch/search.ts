import { z } from "zod";
import { bestFirst } from "../../../core/compare.ts";
import type { VectorHit, VectorIndex, VectorQuery, VectorRow } from "../../../ports/vectors.ts";
import { openTerms } from "../bm25/term.ts";
import { hitOf } from "../content.ts";
import { labelSets } from "../labels.ts";
import type { Connection } from "./connection.ts";
import { cosine, keyOf, termKey, toRow } from "./convert.ts";
import type { Form, Weighing } from "./layout.ts";

/** What a search gives at once; the server has the same limit. */
const pageSize = 10_000;
/** Whole chunks, with their vectors. */
const chunksAtOnce = 500;
/** A server takes 1,024 clauses, filters included. */
const clausesAtOnce = 900;
/** Taken beyond those that are asked for: their scores are computed once more, and may change places by their last bit. */
const spare = 8;
/** How many vectors the graph looks at; more finds more of the nearest, and takes longer. */
const graphEffort = 200;

const whole = ["id", "content", "bytes"];
const Chunk = z.object({ id: z.string(), content: z.string(), bytes: z.string().optional() });
const Found = z.looseObject({ hits: z.looseObject({ hits: z.array(z.looseObject({ _id: z.string().default(""), _score: z.number().nullish(), _source: z.unknown().optional(), fields: z.looseObject({ id: z.tuple([z.string()]) }).optional(), sort: z.array(z.union([z.number(), z.string()])).optional() })) }) });
const Counted = z.looseObject({ count: z.int() });

/** A document of either kind, before its chunk is fetched. */
interface Scored {
  readonly number: string;
  readonly id: string;
  readonly score: number;
}

/** A published namespace. */
export function openNamespace({ ask }: Connection, index: string, { fields, scale, dimensions, hnsw }: Form & Weighing): VectorIndex {
  let opening: ReturnType<typeof openTerms> | undefined;

  const search = (body: object): Promise<z.infer<typeof Found>> => ask({ method: "POST", path: `/${index}/_search`, query: { allow_partial_search_results: false }, body: { track_total_hits: false, ...body }, answer: Found });

  /** The best in the order of their scores and IDs, page by page, without their chunks unless they are asked for. */
  async function* best(query: object, limit: number, size: number, fieldsOfChunk: readonly string[] | false): AsyncGenerator<z.infer<typeof Found>["hits"]["hits"]> {
    let after: readonly (number | string)[] | undefined;
    for (let left = limit; left > 0; left -= size) {
      const wanted = Math.min(size, left);
      const { hits } = await search({ query, size: wanted, _source: fieldsOfChunk, sort: [{ _score: "desc" }, { id: "asc" }], ...(after === undefined ? {} : { search_after: after }) });
      yield hits.hits;
      after = hits.hits.at(-1)?.sort;
      if (hits.hits.length < wanted || after === undefined) return;
    }
  }

  async function byVector({ vector, topK, filter }: VectorQuery): Promise<readonly VectorHit[]> {
    if (vector === undefined) throw new TypeError("A vector search needs the embedded question");
    if (vector.every((value) => value === 0)) return [];
    const limit = topK + spare;
    const conditions = [...conditionsOf(filter), { exists: { field: "vector" } }];
    const k = Math.max(limit, graphEffort);
    const query = hnsw && k <= pageSize
      ? { knn: { vector: { vector: [...vector], k, filter: { bool: { filter: conditions } } } } }
      : { script_score: { query: { bool: { filter: conditions } }, script: { lang: "knn", source: "knn_score", params: { field: "vector", query_value: [...vector], space_type: "cosinesimil" } } } };
    const found: VectorHit[] = [];
    for await (const page of best(query, limit, chunksAtOnce, whole)) {
      for (const { _source } of page) {
        const chunk = Chunk.parse(_source);
        found.push(hitOf(chunk.id, chunk.content, cosine(vector, chunk.bytes ?? "")));
      }
    }
    return found.filter(({ score }) => Number.isFinite(score)).sort(bestFirst).slice(0, topK);
  }

  async function byText({ text, topK, filter }: VectorQuery): Promise<readonly VectorHit[]> {
    const asked = (await (opening ??= openTerms())).ofQuestion(text, fields);
    const clauses = asked.flatMap(({ field, counts }) => [...counts].map(([term, count]) => ({ term: { terms: { value: termKey(field, term), boost: count } } })));
    if (clauses.length === 0) return [];
    const queries = Array.from({ length: Math.ceil(clauses.length / clausesAtOnce) }, (_, i) => ({
      bool: { should: clauses.slice(i * clausesAtOnce, (i + 1) * clausesAtOnce), minimum_should_match: 1, filter: conditionsOf(filter) },
    }));
    // One query finds the best; of several everything must be added up.
    const limit = queries.length === 1 ? topK : Infinity;
    const sums = new Map<string, Scored>();
    for (const query of queries) {
      for await (const page of best(query, limit, pageSize, false)) {
        for (const { _id, _score, sort } of page) sums.set(_id, { number: _id.slice(1), id: String(sort?.[1]), score: (sums.get(_id)?.score ?? 0) + (_score ?? 0) });
      }
    }
    return withChunks([...sums.values()].map((each) => ({ ...each, score: Math.fround(each.score / scale) })).sort(bestFirst).slice(0, topK));
  }

  async function withChunks(scored: readonly Scored[]): Promise<readonly VectorHit[]> {
    const hits: VectorHit[] = [];
    for (let start = 0; start < scored.length; start += chunksAtOnce) {
      const group = scored.slice(start, start + chunksAtOnce);
      const { hits: found } = await search({ query: { ids: { values: group.map(({ number }) => `c${number}`) } }, size: group.length, sort: ["_doc"], _source: ["id", "content"] });
      const chunkOf = new Map(found.hits.map(({ _id, _source }) => [_id.slice(1), Chunk.parse(_source)]));
      for (const { number, score } of group) {
        const chunk = chunkOf.get(number);
        if (chunk !== undefined) hits.push(hitOf(chunk.id, chunk.content, score));
      }
    }
    return hits;
  }

  /** Documents with a chunk, in no order. */
  const chunks = async (condition: object, size: number, wanted: object): Promise<z.infer<typeof Found>["hits"]["hits"]> =>
    (await search({ query: { bool: { filter: [condition, { exists: { field: "number" } }] } }, size, sort: ["_doc"], ...wanted })).hits.hits;

  /** All of them, by their numbers, which have no gaps. */
  async function* everything(size: number, wanted: object): AsyncGenerator<z.infer<typeof Found>["hits"]["hits"]> {
    for (let start = 0; ; start += size) {
      const found = await chunks({ range: { number: { gte: start, lt: start + size } } }, size, wanted);
      if (found.length === 0) return;
      yield found;
    }
  }

  async function* some(ids: readonly string[]): AsyncGenerator<z.infer<typeof Found>["hits"]["hits"]> {
    for (let start = 0; start < ids.length; start += chunksAtOnce) yield await chunks({ terms: { id: ids.slice(start, start + chunksAtOnce) } }, chunksAtOnce, { _source: whole });
  }

  return {
    search: async (query) => (query.topK < 1 || fields.length === 0 ? [] : query.mode === "vector" ? byVector(query) : byText(query)),
    async *ids() {
      // Nothing that is stored is read: that takes five times as long.
      for await (const group of everything(pageSize, { stored_fields: "_none_", docvalue_fields: ["id"] })) for (const { fields: found } of group) yield found?.id[0] ?? "";
    },
    async *rows(ids) {
      for await (const group of ids === undefined ? everything(chunksAtOnce, { _source: whole }) : some(ids)) yield group.map(({ _source }): VectorRow => toRow(Chunk.parse(_source), dimensions));
    },
    count: async () => (await ask({ method: "POST", path: `/${index}/_count`, body: { query: { exists: { field: "number" } } }, answer: Counted })).count,
    close() {},
  };
}

/** A chunk must have one of the labels of each key. */
function conditionsOf(filter: VectorQuery["filter"]): readonly object[] {
  return labelSets(filter, keyOf).map((labels) => ({ terms: { labels } }));
}
