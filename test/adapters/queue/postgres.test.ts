import { beforeAll, describe } from "vitest";
import { openQueue } from "../../../src/adapters/queue/dbos/adapter.ts";
import { type PostgresServer, startPostgres, withoutPostgres } from "../../helpers/postgres.ts";
import { describeQueue } from "../../ports/queue.contract.ts";
import { describeSurvival } from "./survival.ts";

describe.skipIf(withoutPostgres)("on a real server (needs Postgres)", () => {
  let server: PostgresServer;
  let [url, survivalUrl] = ["", ""];
  beforeAll(async () => {
    server = await startPostgres();
    [url, survivalUrl] = [await server.createDatabase(), await server.createDatabase()];
    return () => server.stop();
  });

  describeQueue("postgres", (options) => openQueue(url, "/", { version: "1", ...options }));
  describeSurvival("a real server", () => survivalUrl, () => server.restart());
});
