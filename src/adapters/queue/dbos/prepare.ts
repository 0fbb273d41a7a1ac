import { ensureSystemDatabase } from "@dbos-inc/dbos-sdk/internal/system_database";
import { allMigrations } from "@dbos-inc/dbos-sdk/internal/sysdb_migrations/internal/migrations";
import { GlobalLogger } from "@dbos-inc/dbos-sdk/internal/telemetry/logs";
import { type Database, speaking } from "../../state/database.ts";
import { silentLogger } from "./logger.ts";
import { schema } from "./names.ts";

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
      await database.pool.query(`CREATE TABLE IF NOT EXISTS "${schema}".worker (executor text PRIMARY KEY, seen timestamptz NOT NULL)`);
    });
  });
}

async function isUpToDate({ pool }: Database, wanted: number): Promise<boolean> {
  const names = [`"${schema}".worker`, `"${schema}".dbos_migrations`];
  const { rows } = await pool.query<{ worker: string | null; migrations: string | null }>("SELECT to_regclass($1)::text AS worker, to_regclass($2)::text AS migrations", names);
  if (rows[0]?.worker == null || rows[0].migrations == null) return false;
  const { rows: versions } = await pool.query<{ version: string }>(`SELECT version FROM "${schema}".dbos_migrations ORDER BY version DESC LIMIT 1`);
  return Number(versions[0]?.version ?? 0) >= wanted;
}
