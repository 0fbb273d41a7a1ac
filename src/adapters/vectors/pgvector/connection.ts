import type { Pool, PoolClient } from "pg";
import { TwelveError } from "../../../core/errors.ts";
import { withoutCredentials } from "../../../core/url.ts";
import { vectorFailure } from "./failure.ts";

const connections = 8;
const connectMs = 10_000;
/** A search takes milliseconds; what takes this long waits for something that does not come. */
const statementMs = 30_000;
/** For the server's own timeout to arrive first. */
const readMs = 35_000;

export interface Connection {
  /** Without credentials, for messages. */
  readonly url: string;
  query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** All or nothing, on one connection, without a limit of time. */
  transaction<Result>(work: (query: Query) => Promise<Result>): Promise<Result>;
  end(): Promise<void>;
}

export type Query = <Row>(text: string, values?: readonly unknown[]) => Promise<readonly Row[]>;

/** Connects with the first query. */
export function openConnection(reference: string): Connection {
  const url = withoutCredentials(reference);
  if (!URL.canParse(reference)) throw new TwelveError("CONFIG_INVALID", `${url} is no URL of a Postgres database`, { fix: "Write postgres://user:password@host/database" });
  let opening: Promise<Pool> | undefined;

  async function openPool(): Promise<Pool> {
    const { default: pg } = await import("pg");
    const pool = new pg.Pool({ connectionString: reference, max: connections, connectionTimeoutMillis: connectMs, statement_timeout: statementMs, keepAlive: true, application_name: "twelve" });
    // A connection that breaks while nobody uses it is replaced at the next query.
    pool.on("error", () => {});
    return pool;
  }

  async function speaking<Result>(work: (pool: Pool) => Promise<Result>): Promise<Result> {
    try {
      return await work(await (opening ??= openPool()));
    } catch (error) {
      throw vectorFailure(error, url);
    }
  }

  return {
    url,
    query: <Row>(text: string, values: readonly unknown[] = []) => speaking(async (pool) => (await pool.query({ text, values: [...values], query_timeout: readMs } as { text: string; values: unknown[] })).rows as Row[]),
    transaction: (work) => speaking(async (pool) => inTransaction(await pool.connect(), work)),
    end: async () => void (await (await opening)?.end()),
  };
}

async function inTransaction<Result>(client: PoolClient, work: (query: Query) => Promise<Result>): Promise<Result> {
  // Without a listener, a connection that breaks would end the process.
  client.on("error", () => {});
  let isBroken = true;
  try {
    await client.query("BEGIN; SET LOCAL statement_timeout = 0");
    const result = await work(async <Row>(text: string, values: readonly unknown[] = []) => (await client.query(text, [...values])).rows as Row[]);
    await client.query("COMMIT");
    isBroken = false;
    return result;
  } finally {
    // A session that is closed leaves nothing behind.
    client.release(isBroken);
  }
}
