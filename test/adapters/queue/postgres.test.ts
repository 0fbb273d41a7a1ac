import { Client } from "pg";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openQueue } from "../../../src/adapters/queue/dbos/adapter.ts";
import { executorOf } from "../../../src/adapters/dbos/names.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { type PostgresServer, startPostgres, withoutPostgres } from "../../helpers/postgres.ts";
import { describeQueue } from "../../ports/queue.contract.ts";
import { describeSurvival } from "./survival.ts";
import { startWorker, whenEnded } from "./workers.ts";

async function openSession(url: string, name: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: name });
  client.on("error", () => {});
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

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

  it("ends what a lost worker left in the middle of a transaction, and nobody else's", async () => {
    const queue = await openQueue(url, "/", { version: "1" });
    onTestFinished(() => queue.close());
    const folder = await temporaryFolder();
    await queue.submit({ id: "locked", kind: "square", input: { ms: 1 }, shards: [0, 1, 2] });
    const [lost, stranger] = [await openSession(url, executorOf("lost", 1)), await openSession(url, "somebody")];
    await lost.query("BEGIN; SELECT * FROM twelve.workflow_status FOR UPDATE");
    await stranger.query("BEGIN");
    await startWorker(url, folder, { lostMs: 1500 });
    expect(await whenEnded(queue, "locked")).toMatchObject({ state: "done", result: { squares: [0, 1, 4] } });
    await expect(stranger.query("COMMIT")).resolves.toBeDefined();
  }, 120_000);
});
