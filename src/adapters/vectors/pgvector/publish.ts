import { randomBytes } from "node:crypto";
import { TwelveError } from "../../../core/errors.ts";
import type { VectorRow, VectorWrite } from "../../../ports/vectors.ts";
import { countChunks, type Statistics, weighTerms } from "../bm25/statistics.ts";
import { type ChunkTerms, openTerms } from "../bm25/term.ts";
import { contentOf } from "../content.ts";
import type { Query } from "./connection.ts";
import { labelLines, vectorText } from "./convert.ts";
import { type Extension, layoutVersion, maxDimensions, maxGraphDimensions, namespacesTable, type Tables, tablesOf } from "./layout.ts";

/** Rows of one statement. */
const insertedRows = 500;
const insertedTerms = 2000;
/** Vectors up to here fit into a page with the rest of a row, and are read in half the time when they stand there. */
const dimensionsInRow = 1800;

export interface PublishOptions extends Omit<VectorWrite, "base"> {
  readonly namespace: string;
  readonly hnsw: boolean;
}

/** Loads the rows into new tables beside the old ones, and puts them in their place. All of it is one transaction. */
export async function publishNamespace(query: Query, { schema }: Extension, { namespace, hnsw, dimensions, rows }: PublishOptions): Promise<void> {
  if (dimensions > maxDimensions) throw new TwelveError("SERVICE_REJECTED", `pgvector holds vectors of at most ${maxDimensions} dimensions, and these have ${dimensions}`);
  if (hnsw && dimensions > maxGraphDimensions) throw new TwelveError("SERVICE_REJECTED", `An HNSW index of pgvector holds vectors of at most ${maxGraphDimensions} dimensions, and these have ${dimensions}`, { fix: "Leave out `index=hnsw` in the URL" });
  await query("SET LOCAL statement_timeout = 0");
  await query("SELECT pg_advisory_xact_lock(hashtext($1))", [`twelve vectors ${namespace}`]);
  const generation = randomBytes(4).toString("hex");
  const tables = tablesOf(namespace, generation);
  await query(`CREATE TABLE ${tables.chunks} (number int NOT NULL, id text COLLATE "C" NOT NULL, content text NOT NULL, labels text[] NOT NULL, embedding ${schema}.vector(${Math.trunc(dimensions)}) NOT NULL)`);
  if (dimensions <= dimensionsInRow) await query(`ALTER TABLE ${tables.chunks} ALTER embedding SET STORAGE PLAIN`);
  await query(`CREATE TABLE ${tables.terms} (term text COLLATE "C" NOT NULL, chunks int[] NOT NULL, weights float8[] NOT NULL)`);

  const terms = await openTerms();
  const counted = countChunks();
  const chunks: ChunkTerms[] = [];
  for await (const batch of rows) {
    for (let start = 0; start < batch.length; start += insertedRows) {
      const group = batch.slice(start, start + insertedRows);
      await insertChunks(query, tables, chunks.length, group, schema);
      for (const row of group) {
        const chunk = terms.ofChunk(row);
        counted.add(chunk);
        chunks.push(chunk);
      }
    }
  }
  const statistics = counted.statistics();
  await insertTerms(query, tables, chunks, statistics);
  await query(`ALTER TABLE ${tables.chunks} ADD PRIMARY KEY (number), ADD UNIQUE (id)`);
  await query(`CREATE INDEX ON ${tables.chunks} USING gin (labels)`);
  if (hnsw) await query(`CREATE INDEX ON ${tables.chunks} USING hnsw (embedding ${schema}.vector_cosine_ops)`);
  await query(`ALTER TABLE ${tables.terms} ADD PRIMARY KEY (term)`);
  await query(`ANALYZE ${tables.chunks}`);
  await query(`ANALYZE ${tables.terms}`);
  await dropNamespace(query, namespace);
  await query(`INSERT INTO ${namespacesTable} (name, layout, generation, dimensions, fields, hnsw) VALUES ($1, $2, $3, $4, $5, $6)`, [namespace, layoutVersion, generation, dimensions, [...statistics.keys()], hnsw]);
}

async function insertChunks(query: Query, { chunks }: Tables, first: number, rows: readonly VectorRow[], schema: string): Promise<void> {
  await query(
    `INSERT INTO ${chunks} SELECT number, id, content, string_to_array(labels, E'\\n'), embedding::${schema}.vector FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[]) AS rows(number, id, content, labels, embedding)`,
    [rows.map((_, i) => first + i), rows.map(({ id }) => id), rows.map(contentOf), rows.map(labelLines), rows.map(({ vector }) => vectorText(vector))],
  );
}

interface Postings {
  readonly chunks: number[];
  readonly weights: number[];
}

async function insertTerms(query: Query, { terms }: Tables, chunks: readonly ChunkTerms[], statistics: Statistics): Promise<void> {
  const postings = new Map<string, Postings>();
  for (const [number, chunk] of chunks.entries()) {
    for (const [term, weight] of weighTerms(chunk, statistics)) {
      const key = termKey(chunk.field, term);
      const list = postings.get(key) ?? { chunks: [], weights: [] };
      postings.set(key, list);
      list.chunks.push(number);
      list.weights.push(weight);
    }
  }
  const all = [...postings];
  for (let start = 0; start < all.length; start += insertedTerms) {
    const group = all.slice(start, start + insertedTerms);
    await query(`INSERT INTO ${terms} SELECT term, chunks::int[], weights::float8[] FROM unnest($1::text[], $2::text[], $3::text[]) AS rows(term, chunks, weights)`, [
      group.map(([key]) => key),
      group.map(([, list]) => `{${list.chunks.join(",")}}`),
      group.map(([, list]) => `{${list.weights.join(",")}}`),
    ]);
  }
}

export function termKey(field: string, term: string): string {
  return `${field}:${term}`;
}

/** Every generation of it there is. */
export async function dropNamespace(query: Query, namespace: string): Promise<void> {
  const found = await query<{ generation: string }>(`DELETE FROM ${namespacesTable} WHERE name = $1 RETURNING generation`, [namespace]);
  for (const { generation } of found) {
    const { chunks, terms } = tablesOf(namespace, generation);
    await query(`DROP TABLE IF EXISTS ${chunks}, ${terms}`);
  }
}
