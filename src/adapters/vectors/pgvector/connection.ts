import type { Pool, PoolClient } from "pg";
import { TwelveError } from "../../../core/errors.ts";
import { withoutCredentials } from "../../../core/url.ts";
import { postgresFailure, sqlStateOf } from "../../postgres/failure.ts";

const connections = 8;
const connectMs = 10_000;
/** A search takes milliseconds; what takes this long waits for something that does not come. */
const statementMs = 30_000;
/** How much longer we wait ourselves, so that the server's own timeout arrives first. */
const graceMs = 5_000;

export interface Connection {
  /** Without credentials, for messages. */
  readonly url: string;
  /** Whether vectors are looked up in a graph, as `?index=hnsw` asks for, when an index is published. */
  readonly hnsw: boolean;
  readonly query: Query;
  /** All or nothing, on one connection. */
  transaction<Result>(work: (query: Query) => Promise<Result>): Promise<Result>;
  end(): Promise<void>;
}

export type Query = <Row>(text: string, values?: readonly unknown[]) => Promise<readonly Row[]>;

/** Connects with the first query. */
export function openConnection(reference: string): Connection {
  const url = withoutCredentials(reference);
  if (!URL.canParse(reference)) throw new TwelveError("CONFIG_INVALID", `${url} is no URL of a Postgres database`, { fix: "Write postgres://user:password@host/database" });
  const location = new URL(reference);
  const timeoutMs = readTimeout(location);
  const hnsw = readIndex(location);
  let opening: Promise<Pool> | undefined;

  async function openPool(): Promise<Pool> {
    const { default: pg } = await import("pg");
    const pool = new pg.Pool({ connectionString: location.href, max: connections, connectionTimeoutMillis: connectMs, statement_timeout: timeoutMs, keepAlive: true, application_name: "twelve" });
    // A connection that breaks while nobody uses it is replaced at the next query.
    pool.on("error", () => {});
    // Without a listener, one that breaks while it is in use would end the process.
    pool.on("connect", (client) => client.on("error", () => {}));
    return pool;
  }

  async function speaking<Result>(work: (pool: Pool) => Promise<Result>): Promise<Result> {
    try {
      return await work(await (opening ??= openPool()));
    } catch (error) {
      // An undefined table is a namespace that is gone.
      if (sqlStateOf(error) === "42P01") throw new TwelveError("INDEX_NOT_FOUND", `${url} no longer holds this index`, { cause: error, fix: "It was dropped or published anew meanwhile: open it again" });
      throw postgresFailure(error, url);
    }
  }

  return {
    url,
    hnsw,
    query: <Row>(text: string, values: readonly unknown[] = []) => speaking(async (pool) => (await pool.query({ text, values: [...values], query_timeout: timeoutMs + graceMs } as { text: string; values: unknown[] })).rows as Row[]),
    transaction: (work) => speaking(async (pool) => inTransaction(await pool.connect(), work)),
    async end() {
      await (await opening)?.end();
    },
  };
}

/** `?timeoutMs=` is ours: it is taken out of the URL before the driver sees it. */
function readTimeout({ searchParams }: URL): number {
  const written = searchParams.get("timeoutMs");
  searchParams.delete("timeoutMs");
  if (written === null) return statementMs;
  if (!/^[1-9]\d{0,6}$/.test(written)) throw new TwelveError("CONFIG_INVALID", "`timeoutMs` of a vector service is a whole number of milliseconds, from 1 to 9999999");
  return Number(written);
}

function readIndex({ searchParams }: URL): boolean {
  const written = searchParams.get("index");
  searchParams.delete("index");
  if (written !== null && written !== "hnsw") throw new TwelveError("CONFIG_INVALID", "`index` of a Postgres vector service can only be `hnsw`; without it every vector is compared");
  return written === "hnsw";
}

async function inTransaction<Result>(client: PoolClient, work: (query: Query) => Promise<Result>): Promise<Result> {
  let isBroken = true;
  try {
    await client.query("BEGIN");
    const result = await work(async <Row>(text: string, values: readonly unknown[] = []) => (await client.query(text, [...values])).rows as Row[]);
    await client.query("COMMIT");
    isBroken = false;
    return result;
  } finally {
    // A session that is closed leaves nothing behind.
    client.release(isBroken);
  }
}
