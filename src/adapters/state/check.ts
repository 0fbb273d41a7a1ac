import { existsSync } from "node:fs";
import type { ServiceCheck } from "../../ports/check.ts";
import { type Database, speaking } from "./database.ts";

/** Whether the database lets us in. An embedded one is not made for the question: it takes its time, and is made when it is needed. */
export async function checkDatabase(database: Database): Promise<ServiceCheck> {
  if (database.folder !== undefined && !existsSync(database.folder.data)) return { version: null, detail: "made at first use" };
  return speaking(database, async () => {
    const { rows } = await database.pool.query<{ server_version: string }>("SHOW server_version");
    // `15.14 (Debian 15.14-0+deb12u1)`
    return { version: rows[0]?.server_version.split(" ")[0] ?? null, detail: database.folder === undefined ? "PostgreSQL" : "PostgreSQL, embedded" };
  });
}
