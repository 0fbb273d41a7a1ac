import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { openSessions, openVectorService } from "../../../src/adapters/registry.ts";
import { openStateFolder } from "../../../src/adapters/state/folder.ts";
import { tryLock } from "../../../src/adapters/state/lock.ts";
import type { SessionStore } from "../../../src/ports/session.ts";
import type { VectorIndex, VectorQuery, VectorService } from "../../../src/ports/vectors.ts";
import { rows } from "../../ports/vector-index.contract.ts";

const entry = { role: "user", content: "text", at: "2026-11-24T10:00:00.000Z" } as const;
const key = { user: "u", session: "s" };
const question: VectorQuery = { mode: "vector", text: "", vector: Float32Array.of(1, 0, 0, 0), topK: 1 };

/** Sessions and vectors that one embedded database holds, as one process uses them. */
interface Opened {
  readonly sessions: SessionStore;
  readonly vectors: VectorService;
  readonly index: VectorIndex;
}

const operations: readonly (readonly [string, (opened: Opened) => Promise<unknown>])[] = [
  ["reading a session", ({ sessions }) => sessions.read(key)],
  ["appending to a session", ({ sessions }) => sessions.append({ user: "u", session: crypto.randomUUID() }, [entry], { expected: 0 })],
  ["listing sessions", ({ sessions }) => sessions.list("u")],
  ["checking the session store", async ({ sessions }) => sessions.check?.()],
  ["searching", ({ index }) => index.search(question)],
  ["opening an index", ({ vectors }) => vectors.open("docs")],
  ["listing indexes", ({ vectors }) => vectors.namespaces()],
  ["checking the vector service", ({ vectors }) => vectors.check()],
  ["publishing", ({ vectors }) => vectors.publish("more", { dimensions: 4, rows: published() })],
];

describe("an embedded database in trouble", { timeout: 120_000 }, () => {
  let dir = "";
  let opened: Opened;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "twelve-state-"));
    const [sessions, vectors] = await Promise.all([openSessions("pglite:state", { dir, env: {} }), openVectorService("pglite:state", { dir, env: {} })]);
    await sessions.append(key, [entry], { expected: 0 });
    await vectors.publish("docs", { dimensions: 4, rows: published() });
    opened = { sessions, vectors, index: await vectors.open("docs") };
  }, 120_000);
  afterAll(async () => {
    await Promise.all([opened.sessions.close(), opened.vectors.close()]);
    await kill();
    await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  });
  const serverOf = async (): Promise<number> => Number(await readFile(join(dir, "state/server.pid"), "utf8"));

  /** Kills the server, and waits until the system has taken its lock away. */
  async function kill(): Promise<void> {
    process.kill(await serverOf(), "SIGKILL");
    await vi.waitUntil(() => {
      const lock = tryLock(join(dir, "state/server.lock"));
      lock?.release();
      return lock !== undefined;
    }, { timeout: 20_000 });
  }

  /** Asks until it is answered. Whoever is told that it broke off is told that asking again can help. */
  async function askAgain(operation: (opened: Opened) => Promise<unknown>): Promise<unknown> {
    // Each connection of before may break once.
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const failure: unknown = await operation(opened).then(() => undefined, (error: unknown) => error);
      if (failure === undefined) return "answered";
      expect(failure).toMatchObject({ code: "SERVICE_CUT", retry: { afterMs: null }, message: expect.stringContaining("pglite:state") });
    }
    return "never answered";
  }

  it("has lost nothing when its server was killed, and starts it again", async () => {
    for (const [, operation] of operations) {
      await kill();
      expect(await askAgain(operation)).toBe("answered");
    }
    expect((await opened.sessions.read(key))?.entries).toEqual([entry]);
    expect((await opened.index.search(question)).map(({ id }) => id)).toEqual(["a"]);
  });

  it.skipIf(process.platform === "win32")("says that the answer broke off where its server is killed in the middle of a call, and answers the next one", async () => {
    for (const [name, operation] of operations) {
      // Now it has a connection.
      expect(await askAgain(operation)).toBe("answered");
      const server = await serverOf();
      // A stopped server takes the question and never answers it.
      process.kill(server, "SIGSTOP");
      const answer = operation(opened).catch((error: unknown) => error);
      await new Promise((resolve) => setTimeout(resolve, 100));
      process.kill(server, "SIGKILL");
      expect({ name, failure: await answer }).toMatchObject({ name, failure: { code: "SERVICE_CUT", retry: { afterMs: null } } });
    }
    expect(await askAgain(({ vectors }) => vectors.namespaces())).toBe("answered");
    expect(await askAgain(({ sessions }) => sessions.read(key))).toBe("answered");
    expect((await opened.sessions.read(key))?.entries).toEqual([entry]);
    expect(await opened.vectors.namespaces()).toEqual(["docs", "more"]);
  });

  it.skipIf(process.platform === "win32").each<[string, (socket: Socket) => void]>([
    ["speaks HTTP", (socket) => void socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\ncontent-type: text/html\r\n\r\n<html></html>"))],
    ["speaks of other things", (socket) => void socket.once("data", () => socket.write("hello there, this is not Postgres\n"))],
    ["hangs up", (socket) => void socket.end()],
    ["is silent", () => {}],
  ])("takes the place of a program at its socket that %s", async (_, behave) => {
    await kill();
    const { socket } = await openStateFolder("pglite:state", dir);
    await rm(socket, { force: true });
    const other = createServer((client) => behave(client.on("error", () => {})));
    await new Promise<void>((resolve) => other.listen(socket, resolve));
    onTestFinished(() => void other.close());
    expect(await askAgain(({ sessions }) => sessions.read(key))).toBe("answered");
    expect(await askAgain(({ index }) => index.search(question))).toBe("answered");
  });
});

async function* published(): AsyncIterable<typeof rows> {
  yield rows;
}
