import { describe, expect, it, onTestFinished } from "vitest";
import { openSessions } from "../../../src/adapters/registry.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { startPostgres, withoutPostgres } from "../../helpers/postgres.ts";
import { startRedis, withoutRedis } from "../../helpers/redis.ts";
import { counting, open, textOf, turn } from "./fixture.ts";

/** Three processes with connections of their own answer turns of one session at the same time. */
async function expectOrder(url: string, dir = "/"): Promise<void> {
  const stores = await Promise.all(Array.from({ length: 3 }, () => openSessions(url, { dir, env: {} })));
  onTestFinished(async () => void (await Promise.all(stores.map((store) => store.close()))));
  const processes = stores.map((store) => open(store));
  const answers = await Promise.all(processes.flatMap((conversations, process) => Array.from({ length: 5 }, (_, index) => textOf(conversations.answer(turn(`q${process}.${index}`), { historyTokens: 1_000_000 }, counting)))));
  const { turns = [] } = (await processes[0]?.read(turn("").session)) ?? {};
  expect(turns.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 15 }, () => "answered"));
  // Each answer saw every turn before it.
  expect(turns.map(({ messages }) => messages.at(-1)?.content)).toEqual(turns.map(({ messages }, at) => `${messages[0]?.content} saw ${at * 2 + 1}`));
  expect(answers.toSorted()).toEqual(turns.map(({ messages }) => messages.at(-1)?.content ?? "").toSorted());
}

describe("turns of one session from several processes are in order, and none is lost", () => {
  it("with PGlite", async () => expectOrder("pglite:state", await temporaryFolder()), 120_000);

  it.skipIf(withoutRedis)("with Redis (skipped where redis-server is not installed)", async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    await expectOrder(server.url);
  });

  it.skipIf(withoutPostgres)("with PostgreSQL (skipped where it is not installed)", async () => {
    const server = await startPostgres();
    onTestFinished(() => server.stop());
    await expectOrder(await server.createDatabase());
  });
});
