import { beforeAll, describe } from "vitest";
import { openService } from "../../../src/adapters/vectors/pgvector/adapter.ts";
import { type PostgresServer, startPostgres, withoutPgvector } from "../../helpers/postgres.ts";
import { describeVectorService } from "../../ports/vector-service.contract.ts";

describe.skipIf(withoutPgvector)("on a server with pgvector", () => {
  let server: PostgresServer;
  let url: string;
  beforeAll(async () => {
    server = await startPostgres({ vector: true });
    url = await server.createDatabase();
  }, 60_000);

  describeVectorService("pgvector", () => openService(url), { text: "equal" });
});
