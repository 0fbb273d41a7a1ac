import type { Pool, PoolConfig, QueryConfig } from "pg";
import { TwelveError } from "../../core/errors.ts";
import { withoutCredentials } from "../../core/url.ts";
import { postgresFailure } from "../postgres/failure.ts";
import { openSocket } from "../postgres/socket.ts";
import { type StateFolder, openStateFolder } from "./folder.ts";
import { type Waiting, waitFor, withLock } from "./lock.ts";
import { openStateSocket } from "./reach.ts";

/** A Postgres database: a server's, or the embedded one of a folder, reached in the same way. */
export interface Database {
  /** Without credentials, for messages. */
  readonly url: string;
  readonly pool: Pool;
  /** Of an embedded database. */
  readonly folder: StateFolder | undefined;
  /** Does the work while no other process of any machine does work of that name. Fails with SERVICE_TIMEOUT where its turn does not come within the limit, if there is one. */
  exclusively<Result>(name: string, work: () => Promise<Result>, limitMs?: number): Promise<Result>;
}

/** All connections of an embedded database take turns at one backend: more of them would only queue. */
const embeddedConnections = 4;
const serverConnections = 8;
const connectMs = 10_000;

/** Opens nothing yet: the first query connects, and starts an embedded database's server. `session` is what a server calls its connections. */
export async function openDatabase(reference: string, dir: string, session = "twelve"): Promise<Database> {
  if (reference.startsWith("pglite:")) {
    const folder = await openStateFolder(reference, dir);
    const pool = await openPool({ ...embeddedConfig(folder), max: embeddedConnections });
    return { url: reference, pool, folder, exclusively: (_, work, limitMs) => withLock(folder.migrationLock, work, { url: reference, limitMs }) };
  }
  if (!URL.canParse(reference)) throw new TwelveError("CONFIG_INVALID", `${withoutCredentials(reference)} is no URL of a Postgres database`, { fix: "Set STATE_URL to `postgres://user:password@host/database`, with special characters of the password percent-encoded" });
  const pool = await openPool({ connectionString: reference, max: serverConnections, connectionTimeoutMillis: connectMs, keepAlive: true, application_name: session, stream: openSocket });
  const url = withoutCredentials(reference);
  return { url, pool, folder: undefined, exclusively: (name, work, limitMs) => alone(pool, name, work, { url, limitMs }) };
}

/** The names are not asked for: whoever reaches the socket is let in. */
function embeddedConfig(folder: StateFolder): PoolConfig {
  return { host: "localhost", port: 5432, user: "postgres", database: "postgres", password: "", ssl: false, stream: () => openStateSocket(folder) };
}

async function openPool(config: PoolConfig): Promise<Pool> {
  const { default: pg } = await import("pg");
  const pool = new pg.Pool(config);
  // A connection that breaks while nobody uses it is replaced at the next query.
  pool.on("error", () => {});
  return pool;
}

/** Tried again and again instead of waited for: a statement that waits would hold up the making of indexes. */
async function alone<Result>(pool: Pool, name: string, work: () => Promise<Result>, waiting: Waiting): Promise<Result> {
  const client = await pool.connect();
  client.on("error", () => {});
  try {
    await waitFor(async () => {
      const { rows } = await client.query<{ taken: boolean }>(limited("SELECT pg_try_advisory_lock(hashtext($1)) AS taken", [`twelve ${name}`], waiting.limitMs));
      return rows[0]?.taken === true ? true : undefined;
    }, waiting);
    return await work();
  } finally {
    // Ends the session, and the lock with it.
    client.release(true);
  }
}

/** A server that hangs must not hold a conversation for ever; the connection is given up with the statement. */
export function limited(text: string, values: readonly unknown[], timeoutMs: number | undefined): QueryConfig & { readonly query_timeout: number | undefined } {
  return { text, values: [...values], query_timeout: timeoutMs };
}

/** Does the work, and says in our words what the database refused. */
export async function speaking<Result>({ url }: Database, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw postgresFailure(error, url);
  }
}
