import { DBOSClient } from "@dbos-inc/dbos-sdk";
import type { ServiceCheck } from "../../ports/check.ts";
import { checkDatabase } from "../state/check.ts";
import { type Database, openDatabase, speaking } from "../state/database.ts";
import { silentLogger } from "./logger.ts";
import { application, jsonSerializer, schema } from "./names.ts";
import { prepareTables } from "./prepare.ts";

/** A database with DBOS's tables, asked from outside of the work. */
export interface Service {
  readonly database: Database;
  /** Every call goes through here: the tables are there, and failures are said in our words. */
  readonly ask: <Result>(work: () => Promise<Result>) => Promise<Result>;
  readonly client: () => Promise<DBOSClient>;
  readonly check: () => Promise<ServiceCheck>;
  readonly close: () => Promise<void>;
}

/** Opens `postgres://...` or `pglite:<folder>`; nothing is connected before the first call. */
export async function openService(reference: string, dir: string): Promise<Service> {
  const database = await openDatabase(reference, dir);
  let prepared: Promise<void> | undefined;
  let client: Promise<DBOSClient> | undefined;

  const prepare = (): Promise<void> => {
    prepared ??= prepareTables(database).catch((error: unknown) => {
      prepared = undefined;
      throw error;
    });
    return prepared;
  };

  return {
    database,
    async ask(work) {
      await prepare();
      return speaking(database, work);
    },
    client: () =>
      (client ??= DBOSClient.create({ systemDatabaseUrl: "", systemDatabasePool: database.pool, systemDatabaseSchemaName: schema, serializer: jsonSerializer, applicationName: application, logger: silentLogger })),
    check: () => checkDatabase(database),
    async close() {
      await (await client)?.destroy();
      await database.pool.end();
    },
  };
}
