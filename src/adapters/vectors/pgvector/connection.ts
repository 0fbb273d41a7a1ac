import { existsSync } from "node:fs";
import type { Pool, PoolClient } from "pg";
import { TwelveError } from "../../../core/errors.ts";
import { withoutCredentials } from "../../../core/url.ts";
import { withoutOptions } from "../../http/options.ts";
import { type Database, openDatabase } from "../../state/database.ts";
import { postgresFailure, sqlStateOf } from "../../postgres/failure.ts";
import { openSocket } from "../../postgres/socket.ts";

/** How a place is used makes no other place of it: what is published with one of them is found without. */
const ownOptions = ["index", "timeoutMs"];
const connections = 8;
const connectMs = 10_000;
/** A search takes milliseconds; what takes this long waits for something that does not come. */
const statementMs = 30_000;
/** How much longer we wait ourselves, so that the server's own timeout arrives first. */
const graceMs = 5_000;

export interface Connection {
  /** Without credentials and without options of ours. */
  readonly url: string;
  /** Whether vectors are looked up in a graph, as `?index=hnsw` asks for, when an index is published. */
  readonly hnsw: boolean;
  /** Whether it is a folder's database, which anybody may give the extension. */
  readonly isEmbedded: boolean;
  /** An embedded database is made at first use; a server is taken to be there. */
  isMade(): Promise<boolean>;
  readonly query: Query;
  /** All or nothing, on one connection. */
  transaction<Result>(work: (query: Query) => Promise<Result>): Promise<Result>;
  end(): Promise<void>;
}

export type Query = <Row>(text: string, values?: readonly unknown[]) => Promise<readonly Row[]>;

/** Connects with the first query, to a server or to the embedded database of a folder, `pglite:<folder>`. */
export function openConnection(reference: string, dir: string): Connection {
  return reference.startsWith("pglite:") ? openEmbedded(reference, dir) : openServer(reference);
}

/** All its connections share one session, so there is no time limit on the server's side. */
function openEmbedded(reference: string, dir: string): Connection {
  let database: Promise<Database> | undefined;
  const open = (): Promise<Database> => (database ??= openDatabase(reference, dir));
  return {
    ...connectionOf({ url: withoutCredentials(reference), hnsw: false, timeoutMs: statementMs, openPool: async () => (await open()).pool }),
    isEmbedded: true,
    isMade: async () => existsSync((await open()).folder?.data ?? ""),
  };
}

function openServer(reference: string): Connection {
  const url = withoutOptions(withoutCredentials(reference), ownOptions);
  if (!URL.canParse(reference)) throw new TwelveError("CONFIG_INVALID", `${url} is no URL of a Postgres database`, { fix: "Write postgres://user:password@host/database, with special characters of the password percent-encoded" });
  const location = new URL(reference);
  const timeoutMs = readTimeout(location);
  const hnsw = readIndex(location);
  const openPool = async (): Promise<Pool> => {
    const { default: pg } = await import("pg");
    const pool = new pg.Pool({ connectionString: location.href, max: connections, connectionTimeoutMillis: Math.min(connectMs, timeoutMs), statement_timeout: timeoutMs, keepAlive: true, application_name: "twelve", stream: openSocket });
    // A connection that breaks while nobody uses it is replaced at the next query.
    return pool.on("error", () => {});
  };
  return { ...connectionOf({ url, hnsw, timeoutMs, openPool }), isEmbedded: false, isMade: () => Promise.resolve(true) };
}

interface Opening extends Pick<Connection, "url" | "hnsw"> {
  readonly timeoutMs: number;
  readonly openPool: () => Promise<Pool>;
}

function connectionOf({ url, hnsw, timeoutMs, openPool }: Opening): Omit<Connection, "isEmbedded" | "isMade"> {
  let opening: Promise<Pool> | undefined;

  async function speaking<Result>(work: (pool: Pool) => Promise<Result>): Promise<Result> {
    try {
      // Without a listener, a connection that breaks while it is in use would end the process.
      return await work(await (opening ??= openPool().then((pool) => pool.on("connect", (client) => client.on("error", () => {})))));
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
      await (await opening?.catch(() => undefined))?.end();
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
