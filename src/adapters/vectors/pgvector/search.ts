import type { VectorHit, VectorIndex, VectorQuery } from "../../../ports/vectors.ts";
import { openTerms } from "../bm25/term.ts";
import { labelSets } from "../labels.ts";
import type { Connection } from "./connection.ts";
import { type FoundChunk, type StoredChunk, toHits, toRow, vectorText } from "./convert.ts";
import { type Extension, type Namespace, tablesOf } from "./layout.ts";
import { termKey } from "./publish.ts";

const readRows = 500;
/** How many vectors the graph looks at; more finds more of the nearest, and takes longer. */
const graphEffort = 200;
/** Taken beyond those that are asked for, so that equal scores can be put in the order of their IDs. */
const spare = 8;

/** A published namespace. Scores are rounded to the engine's precision, so that what is equal there is equal here, and IDs decide. */
export function openNamespace(connection: Connection, extension: Extension, name: string, { generation, fields, hnsw }: Namespace): VectorIndex {
  const { chunks, terms } = tablesOf(name, generation);
  const cosine = `OPERATOR(${extension.schema}.<=>)`;
  let opening: ReturnType<typeof openTerms> | undefined;

  async function byVector({ vector, topK, filter }: VectorQuery): Promise<readonly VectorHit[]> {
    if (vector === undefined) throw new TypeError("A vector search needs the embedded question");
    const { where, values } = condition(filter, 3);
    if (hnsw) return byGraph(vector, topK, { where, values });
    const found = await connection.query<FoundChunk>(
      `WITH scored AS MATERIALIZED (SELECT number, id, (1 - (embedding ${cosine} $1::${extension.schema}.vector))::real AS score FROM ${chunks} WHERE ${where})
       SELECT best.id, content, score FROM (SELECT * FROM scored WHERE score <> 'NaN' ORDER BY score DESC, id LIMIT $2) AS best JOIN ${chunks} USING (number) ORDER BY score DESC, best.id`,
      [vectorText(vector), topK, ...values],
    );
    return toHits(found);
  }

  /** Goes on through the graph until enough chunks pass the filter. */
  function byGraph(vector: Float32Array, topK: number, { where, values }: Condition): Promise<readonly VectorHit[]> {
    return connection.transaction(async (query) => {
      await query(`SET LOCAL hnsw.ef_search = ${graphEffort}`);
      await query("SET LOCAL hnsw.iterative_scan = strict_order");
      const found = await query<FoundChunk>(
        `WITH nearest AS MATERIALIZED (SELECT id, content, embedding ${cosine} $1::${extension.schema}.vector AS distance FROM ${chunks} WHERE ${where} ORDER BY embedding ${cosine} $1::${extension.schema}.vector LIMIT $2)
         SELECT id, content, (1 - distance)::real AS score FROM nearest ORDER BY score DESC, id`,
        [vectorText(vector), topK + spare, ...values],
      );
      return toHits(found).slice(0, topK);
    });
  }

  async function byText({ text, topK, filter }: VectorQuery): Promise<readonly VectorHit[]> {
    const asked = (await (opening ??= openTerms())).ofQuestion(text, fields);
    const keys = asked.flatMap(({ field, counts }) => [...counts].map(([term, count]) => ({ key: termKey(field, term), count })));
    if (keys.length === 0) return [];
    const { where, values } = condition(filter, 4);
    const found = await connection.query<FoundChunk>(
      `WITH asked AS (SELECT * FROM unnest($1::text[], $2::float8[]) AS asked(term, count)),
       scored AS MATERIALIZED (SELECT number, sum(weight * count)::real AS score FROM asked JOIN ${terms} AS terms USING (term), unnest(terms.chunks, terms.weights) AS posting(number, weight) GROUP BY number)
       SELECT id, content, score FROM scored JOIN ${chunks} USING (number)
       WHERE ${where} ${values.length === 0 ? "AND score >= coalesce((SELECT score FROM scored ORDER BY score DESC OFFSET $3::bigint - 1 LIMIT 1), 0)" : ""}
       ORDER BY score DESC, id LIMIT $3::bigint`,
      [keys.map(({ key }) => key), keys.map(({ count }) => count), topK, ...values],
    );
    return toHits(found);
  }

  async function* rowsFrom(ids: readonly string[] | undefined): AsyncGenerator<readonly StoredChunk[]> {
    const columns = "number, id, content, embedding::text AS vector";
    if (ids !== undefined) {
      for (let start = 0; start < ids.length; start += readRows) yield await connection.query<StoredChunk>(`SELECT ${columns} FROM ${chunks} WHERE id = ANY($1::text[])`, [ids.slice(start, start + readRows)]);
      return;
    }
    for (let start = 0; ; start += readRows) {
      const found = await connection.query<StoredChunk>(`SELECT ${columns} FROM ${chunks} WHERE number >= $1 AND number < $2`, [start, start + readRows]);
      if (found.length === 0) return;
      yield found;
    }
  }

  return {
    search: async (query) => (query.topK < 1 || fields.length === 0 ? [] : query.mode === "vector" ? byVector(query) : byText(query)),
    async *ids() {
      for (let start = 0; ; start += readRows * 20) {
        const found = await connection.query<{ id: string }>(`SELECT id FROM ${chunks} WHERE number >= $1 AND number < $2`, [start, start + readRows * 20]);
        if (found.length === 0) return;
        for (const { id } of found) yield id;
      }
    },
    async *rows(ids) {
      for await (const group of rowsFrom(ids)) yield group.map(toRow);
    },
    count: async () => Number((await connection.query<{ count: string }>(`SELECT count(*) FROM ${chunks}`))[0]?.count ?? 0),
    close() {},
  };
}

interface Condition {
  readonly where: string;
  readonly values: readonly (readonly string[])[];
}

/** A chunk must have one of the labels of each key. */
function condition(filter: VectorQuery["filter"], firstParameter: number): Condition {
  const values = labelSets(filter);
  const clauses = values.map((_, i) => `labels && $${firstParameter + i}::text[]`);
  return { where: clauses.length === 0 ? "true" : clauses.join(" AND "), values };
}
