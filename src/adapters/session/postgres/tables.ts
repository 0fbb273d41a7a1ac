import { type Database, limited, speaking } from "../../state/database.ts";

/** A schema of our own: nothing of the application's tables, or of the queue's, can have these names. */
export const schema = "twelve_session";
/** Raised when the tables change. */
const version = 1;

/** Sorted and compared by bytes, whatever the language of the database; an entry goes with its session, also one that is appended while it is deleted. */
const statements = [
  `CREATE SCHEMA IF NOT EXISTS ${schema}`,
  `CREATE TABLE IF NOT EXISTS ${schema}.session (
    id uuid PRIMARY KEY,
    user_name text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    bytes bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    expires_at timestamptz,
    UNIQUE (user_name, name)
  )`,
  `CREATE INDEX IF NOT EXISTS session_expiry ON ${schema}.session (expires_at) WHERE expires_at IS NOT NULL`,
  `CREATE TABLE IF NOT EXISTS ${schema}.entry (
    session uuid NOT NULL REFERENCES ${schema}.session ON DELETE CASCADE,
    position bigint NOT NULL,
    content text NOT NULL,
    PRIMARY KEY (session, position)
  )`,
  // Last, so that a process that finds it finds all of them.
  `CREATE TABLE IF NOT EXISTS ${schema}.tables (version integer PRIMARY KEY)`,
  `INSERT INTO ${schema}.tables VALUES (${version}) ON CONFLICT DO NOTHING`,
];

/** Makes the tables unless they are there, once for all processes; no statement, and no wait for another process, takes longer than `timeoutMs`. */
export async function prepareTables(database: Database, timeoutMs: number): Promise<void> {
  await speaking(database, async () => {
    if (await isPrepared(database, timeoutMs)) return;
    await database.exclusively("session tables", async () => {
      if (await isPrepared(database, timeoutMs)) return;
      for (const statement of statements) await database.pool.query(limited(statement, [], timeoutMs));
    }, timeoutMs);
  });
}

async function isPrepared({ pool }: Database, timeoutMs: number): Promise<boolean> {
  const { rows } = await pool.query<{ found: string | null }>(limited("SELECT to_regclass($1)::text AS found", [`${schema}.tables`], timeoutMs));
  if (rows[0]?.found == null) return false;
  const { rowCount } = await pool.query(limited(`SELECT FROM ${schema}.tables WHERE version = $1`, [version], timeoutMs));
  return rowCount === 1;
}
