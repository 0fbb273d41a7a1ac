import { beforeAll, describe } from "vitest";
import { openRuns } from "../../../src/adapters/runs/dbos/adapter.ts";
import { type PostgresServer, startPostgres, withoutPostgres } from "../../helpers/postgres.ts";
import { describeRuns } from "../../ports/runs.contract.ts";

describe.skipIf(withoutPostgres)("on a real server (needs Postgres)", () => {
  let server: PostgresServer;
  let url = "";
  beforeAll(async () => {
    server = await startPostgres();
    url = await server.createDatabase();
    return () => server.stop();
  });

  describeRuns("postgres", (options) => openRuns(url, "/", { version: "1", lostMs: 2000, ...options }));
});
