import { ensureSystemDatabase } from "@dbos-inc/dbos-sdk/internal/system_database";
import { allMigrations } from "@dbos-inc/dbos-sdk/internal/sysdb_migrations/internal/migrations";
import { GlobalLogger } from "@dbos-inc/dbos-sdk/internal/telemetry/logs";
import { type Database, speaking } from "../state/database.ts";
import { silentLogger } from "./logger.ts";
import { runWorkflow, schema } from "./names.ts";

/**
 * Makes the tables, or brings them up to date, once for all processes. Fails fast where the database cannot be used:
 * DBOS would try without end.
 */
export async function prepareTables(database: Database): Promise<void> {
  await speaking(database, async () => {
    const wanted = allMigrations(schema, { useListenNotify: false, isCockroach: false }).length;
    if (await isUpToDate(database, wanted)) return;
    await database.exclusively("migration", async () => {
      if (await isUpToDate(database, wanted)) return;
      await ensureSystemDatabase("", new GlobalLogger(undefined, { logger: silentLogger }), database.pool, schema, false);
      for (const statement of ownTables) await database.pool.query(statement);
    });
  });
}

/** What DBOS does not keep: who is alive, what runs have told, and which of them wait, for a decision or for a better time. The last one's presence stands for all. */
const ownTables = [
  `CREATE TABLE IF NOT EXISTS "${schema}".worker (executor text PRIMARY KEY, seen timestamptz NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS "${schema}".run_event (
     run text NOT NULL, position integer NOT NULL, key text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp(), data text NOT NULL,
     PRIMARY KEY (run, position), UNIQUE (run, key))`,
  `CREATE INDEX IF NOT EXISTS run_of_group ON "${schema}".workflow_status ((attributes->>'group'), created_at DESC) WHERE name = '${runWorkflow}'`,
  `CREATE TABLE IF NOT EXISTS "${schema}".run_wait (run text PRIMARY KEY, topic text NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS "${schema}".run_later (run text PRIMARY KEY, at timestamptz NOT NULL)`,
];

async function isUpToDate({ pool }: Database, wanted: number): Promise<boolean> {
  const names = [`"${schema}".run_later`, `"${schema}".dbos_migrations`];
  const { rows } = await pool.query<{ own: string | null; migrations: string | null }>("SELECT to_regclass($1)::text AS own, to_regclass($2)::text AS migrations", names);
  if (rows[0]?.own == null || rows[0].migrations == null) return false;
  const { rows: versions } = await pool.query<{ version: string }>(`SELECT version FROM "${schema}".dbos_migrations ORDER BY version DESC LIMIT 1`);
  return Number(versions[0]?.version ?? 0) >= wanted;
}
