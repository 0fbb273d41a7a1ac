import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { execaNode } from "execa";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { postgresFailure } from "../../../src/adapters/postgres/failure.ts";
import { openSessions } from "../../../src/adapters/session/postgres/adapter.ts";
import type { SessionStore } from "../../../src/ports/session.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { listening } from "../../helpers/listen.ts";
import { type PostgresServer, startPostgres, withoutPostgres } from "../../helpers/postgres.ts";
import { describeSessions } from "../../ports/session.contract.ts";
import { passInDatabase } from "./pass.ts";

const entry = { role: "user", content: "text", at: "2026-11-24T10:00:00.000Z" } as const;

async function opened(url: string, options: { readonly timeoutMs?: number } = {}): Promise<SessionStore> {
  const store = await openSessions(url, "/", options);
  onTestFinished(() => store.close());
  return store;
}

describe.skipIf(withoutPostgres)("on a real server (needs Postgres)", { timeout: 60_000 }, () => {
  let server: PostgresServer;
  let url = "";
  beforeAll(async () => {
    server = await startPostgres();
    url = await server.createDatabase();
    return () => server.stop();
  });

  describeSessions("postgres", async (options) => ({ store: await openSessions(url, "/", options), pass: (key, seconds) => passInDatabase(url, "/", key, seconds) }));

  it("makes its tables once, however many come at the same time", async () => {
    const fresh = await server.createDatabase();
    const stores = await Promise.all(Array.from({ length: 6 }, () => opened(fresh)));
    const versions = await Promise.all(stores.map((store, index) => store.append({ user: "u", session: String(index) }, [entry], { expected: 0 })));
    expect(versions).toHaveLength(6);
    expect((await stores[0]?.list("u"))?.sessions).toHaveLength(6);
  });

  it("leaves nothing of an append that is killed, and never half of one", async () => {
    const fresh = await server.createDatabase();
    const store = await opened(fresh);
    await store.list("u");
    const folder = await temporaryFolder();
    for (let round = 0; round < 3; round += 1) {
      const child = execaNode(new URL("append-forever.ts", import.meta.url), [fresh, `round ${round}`], { cwd: folder, reject: false });
      await new Promise((resolve) => child.stdout.once("data", resolve));
      await sleep(round * 7);
      child.kill("SIGKILL");
      await child;
    }
    for (const { session, version } of (await store.list("u")).sessions) {
      const read = await store.read({ user: "u", session });
      // Each append writes twenty entries, numbered.
      expect(read?.entries.map(({ content }) => Number(content))).toEqual(read?.entries.map((_, index) => index));
      expect((read?.entries.length ?? 1) % 20).toBe(0);
      expect(read?.version).toBe(version);
    }
  });

  it("leaves no entry behind of a session that is appended to while it is deleted", async () => {
    const fresh = await server.createDatabase();
    const store = await opened(fresh);
    for (let round = 0; round < 10; round += 1) {
      const key = { user: "u", session: `s${round}` };
      const version = await store.append(key, [entry], { expected: 0 });
      const appending = store.append(key, Array.from({ length: 50 }, () => entry), { expected: version }).catch(() => 0);
      await Promise.all([appending, store.deleteUser("u")]);
      await store.deleteUser("u");
    }
    const { default: pg } = await import("pg");
    const client = new pg.Client({ connectionString: fresh });
    await client.connect();
    const { rows } = await client.query<{ count: string }>("SELECT count(*) FROM twelve_session.entry");
    await client.end();
    expect(rows[0]?.count).toBe("0");
  });

  it("works on after the server was away", async () => {
    const store = await opened(await server.createDatabase());
    const version = await store.append({ user: "u", session: "s" }, [entry], { expected: 0 });
    await server.restart();
    await expect.poll(() => store.read({ user: "u", session: "s" }).then((read) => read?.version, () => "away"), { timeout: 20_000 }).toBe(version);
  });

  it("names what is wrong: the password, the database, a right, too many connections", async () => {
    const good = await server.createDatabase();
    const denied = await failureOf(good.replace(/:[^:@]+@/, ":not-the-secret@"));
    expect(denied).toMatchObject({ code: "SERVICE_UNAUTHENTICATED", retry: undefined });
    expect(JSON.stringify([denied, String(denied)])).not.toContain("not-the-secret");
    expect(await failureOf(good.replace(/[^/]+$/, "nowhere"))).toMatchObject({ code: "SERVICE_NOT_FOUND", retry: undefined });
    await server.query("CREATE ROLE reader LOGIN PASSWORD 'only-reads'");
    expect(await failureOf(good.replace("owner:only-for-tests", "reader:only-reads"))).toMatchObject({ code: "SERVICE_DENIED", retry: undefined, fix: expect.stringContaining("GRANT CREATE") });
    await server.query("ALTER ROLE reader CONNECTION LIMIT 0");
    expect(await failureOf(good.replace("owner:only-for-tests", "reader:only-reads"))).toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } });
  });

  it("gives up on looking for its tables, too", async () => {
    const fresh = await server.createDatabase();
    await (await opened(fresh)).list("u");
    const { default: pg } = await import("pg");
    const client = new pg.Client({ connectionString: fresh });
    await client.connect();
    await client.query("BEGIN; LOCK TABLE twelve_session.tables IN ACCESS EXCLUSIVE MODE");
    expect(await failureOf(fresh, { timeoutMs: 200 })).toMatchObject({ code: "SERVICE_TIMEOUT", retry: { afterMs: null } });
    await client.end();
  });

  it("gives up on waiting for another process that makes the tables and does not come to an end", async () => {
    const fresh = await server.createDatabase();
    const { default: pg } = await import("pg");
    const client = new pg.Client({ connectionString: fresh });
    await client.connect();
    await client.query("SELECT pg_advisory_lock(hashtext('twelve session tables'))");
    const store = await opened(fresh, { timeoutMs: 200 });
    const key = { user: "u", session: "s" };
    const failure = { code: "SERVICE_TIMEOUT", retry: { afterMs: null }, message: expect.stringMatching(/^postgres:\/\/127\.0\.0\.1:\d+\/test_\d+ cannot be prepared: for 200 ms another process/), fix: expect.stringContaining("pg_locks") };
    await expect(store.read(key)).rejects.toMatchObject(failure);
    await client.end();
    // The lock went with its session, and the store makes the tables itself.
    await expect.poll(() => store.read(key).then(() => "read", (error: unknown) => error), { timeout: 20_000 }).toBe("read");
  });

  it("says that a connection was ended which an append was waiting on, and keeps nothing of it", async () => {
    const fresh = await server.createDatabase();
    const store = await opened(fresh);
    const key = { user: "u", session: "s" };
    const version = await store.append(key, [entry], { expected: 0 });
    const { default: pg } = await import("pg");
    const client = new pg.Client({ connectionString: fresh });
    await client.connect();
    await client.query("BEGIN; SELECT FROM twelve_session.session FOR UPDATE");
    const appending = store.append(key, [entry], { expected: version }).then(() => undefined, (error: unknown) => error);
    const waiting = "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    await expect.poll(async () => (await client.query(`SELECT ${waiting}`)).rowCount).toBe(1);
    await client.query(`SELECT pg_terminate_backend(pid) ${waiting}`);
    expect(await appending).toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } });
    await client.end();
    expect((await store.read(key))?.version).toBe(version);
  });

  it("gives up on a statement that takes too long", async () => {
    const fresh = await server.createDatabase();
    const [store, slow] = [await opened(fresh), await opened(fresh, { timeoutMs: 200 })];
    const key = { user: "u", session: "s" };
    const version = await store.append(key, [entry], { expected: 0 });
    await slow.read(key);
    const { default: pg } = await import("pg");
    const client = new pg.Client({ connectionString: fresh });
    await client.connect();
    await client.query("BEGIN; SELECT FROM twelve_session.session FOR UPDATE");
    await expect(slow.append(key, [entry], { expected: version })).rejects.toMatchObject({ code: "SERVICE_TIMEOUT", retry: { afterMs: null } });
    await client.query("COMMIT");
    await client.end();
  });
});

async function failureOf(url: string, options: { readonly timeoutMs?: number } = {}): Promise<unknown> {
  const store = await opened(url, options);
  return store.read({ user: "u", session: "s" }).then(() => undefined, (error: unknown) => error);
}

describe("postgres sessions when things go wrong", () => {
  // What the driver says after the ten seconds that a connection may take, which no test waits for.
  it("calls a server that says nothing slow, not broken", () => {
    expect(postgresFailure(new Error("Connection terminated due to connection timeout"), "postgres://host/d")).toMatchObject({ code: "SERVICE_TIMEOUT", retry: { afterMs: null } });
    expect(postgresFailure(new Error("Connection terminated unexpectedly"), "postgres://host/d")).toMatchObject({ code: "SERVICE_CUT" });
  });

  it("says that nothing answers, that a connection broke, and that something else answers", async () => {
    const port = await listening(createServer((socket) => socket.destroy()));
    expect(await failureOf(`postgres://me:secret@127.0.0.1:${port}/d`)).toMatchObject({ code: "SERVICE_CUT", retry: { afterMs: null }, message: expect.stringContaining(`postgres://127.0.0.1:${port}/d`) });
    const garbage = await listening(createServer((socket) => void socket.on("error", () => {}).end("HTTP/1.1 400 Bad Request\r\n\r\n")));
    expect(await failureOf(`postgres://me:secret@127.0.0.1:${garbage}/d`)).toMatchObject({ code: "SERVICE_FAILED", retry: undefined });
    const closed = await listening(createServer());
    expect(await failureOf(`postgres://me:secret@127.0.0.1:1/d`)).toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: { afterMs: null }, message: expect.stringContaining("cannot be reached") });
    expect(closed).toBeGreaterThan(0);
  });
});
