import { createServer, type Socket } from "node:net";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openSessions } from "../../../src/adapters/registry.ts";
import { openSessions as openRedisSessions, prefixOf } from "../../../src/adapters/session/redis/adapter.ts";
import { redisFailure } from "../../../src/adapters/session/redis/failure.ts";
import type { SessionKey, SessionStore } from "../../../src/ports/session.ts";
import { listening } from "../../helpers/listen.ts";
import { type RedisServer, startRedis, withoutRedis } from "../../helpers/redis.ts";
import { describeSessions } from "../../ports/session.contract.ts";

const entry = { role: "user", content: "text", at: "2026-11-24T10:00:00.000Z" } as const;
const key = { user: "u", session: "s" };

async function opened(url: string): Promise<SessionStore> {
  const store = await openSessions(url, { dir: "/", env: {} });
  onTestFinished(() => store.close());
  return store;
}

async function failureOf(url: string): Promise<unknown> {
  return (await opened(url)).append(key, [entry], { expected: 0 }).then(() => undefined, (error: unknown) => error);
}

describe.skipIf(withoutRedis)("on a real server (needs redis-server)", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
    return () => server.stop();
  });

  async function pass({ user, session }: SessionKey, seconds: number): Promise<void> {
    for (const part of ["h", "e"]) {
      const name = `${prefixOf(user)}${part}:${session}`;
      const leftMs = await server.client.pttl(name);
      if (leftMs >= 0) await server.client.pexpire(name, leftMs - seconds * 1000);
    }
  }
  describeSessions("redis", async (options) => ({ store: openRedisSessions(server.url, options), pass }));

  it("does not go on in another database where the server lacks the one in the URL", async () => {
    const store = await opened(server.url.replace(/\/0$/, "/99"));
    const failure = { code: "CONFIG_INVALID", message: expect.stringContaining("has no database 99"), fix: expect.stringContaining("CONFIG GET databases") };
    await expect(store.check()).rejects.toMatchObject(failure);
    await expect(store.append({ user: "ninety-nine", session: "s" }, [entry], { expected: 0 })).rejects.toMatchObject(failure);
    expect(await server.client.keys(`${prefixOf("ninety-nine")}*`)).toEqual([]);
    const other = await opened(server.url.replace(/\/0$/, "/3"));
    expect((await other.check()).version).toMatch(/^\d/);
    expect(await other.append(key, [entry], { expected: 0 })).toBeGreaterThan(0);
    await server.client.select(3);
    expect(await server.client.keys(`${prefixOf("u")}*`)).not.toEqual([]);
    await server.client.select(0);
  });

  it("keeps everything of one user in one slot of a cluster, and nothing of a user that is deleted", async () => {
    const store = await opened(server.url);
    const user = "slot } { user";
    for (const session of ["a", "{b}", "}{"]) await store.append({ user, session }, [entry], { expected: 0 });
    const names = await server.client.keys(`${prefixOf(user)}*`);
    expect(names).toHaveLength(7);
    expect(new Set(names.map((name) => /^[^{]*\{([^}]*)\}/.exec(name)?.[1])).size).toBe(1);
    await store.deleteUser(user);
    expect(await server.client.keys(`${prefixOf(user)}*`)).toEqual([]);
  });

  it("forgets the names of sessions that have expired", async () => {
    const store = await opened(server.url);
    const user = "forgetful";
    for (const session of ["a", "b", "c"]) await store.append({ user, session }, [entry], { expected: 0, ttlSeconds: 60 });
    await pass({ user, session: "b" }, 100);
    expect((await store.list(user)).sessions.map(({ session }) => session)).toEqual(["a", "c"]);
    expect(await server.client.zcard(`${prefixOf(user)}i`)).toBe(2);
    await store.deleteUser(user);
  });

  it("takes the number of a database from the URL, and tells the version", async () => {
    const other = await opened(server.url.replace(/0$/, "3"));
    await other.append({ user: "third", session: "s" }, [entry], { expected: 0 });
    expect(await (await opened(server.url)).read({ user: "third", session: "s" })).toBeUndefined();
    expect((await other.check()).version).toMatch(/^\d+\.\d+/);
  });

  it("works on after the server was away, with everything that was said to be kept", async () => {
    const store = await opened(server.url);
    const version = await store.append({ user: "back", session: "s" }, [entry], { expected: 0 });
    await server.restart();
    await expect.poll(() => store.read({ user: "back", session: "s" }).then((read) => read?.version, () => "away"), { timeout: 20_000 }).toBe(version);
    await store.deleteUser("back");
  });

  it("names what is wrong: the password, a right, the memory", async () => {
    await server.client.acl("SETUSER", "reader", "on", ">only-reads", "~*", "-@all", "+ping", "+info");
    const wrong = await failureOf(`redis://reader:not-the-secret@127.0.0.1:${server.port}`);
    expect(wrong).toMatchObject({ code: "SERVICE_UNAUTHENTICATED", retry: undefined });
    expect(JSON.stringify([wrong, String(wrong)])).not.toContain("not-the-secret");
    expect(await failureOf(`redis://reader:only-reads@127.0.0.1:${server.port}`)).toMatchObject({ code: "SERVICE_DENIED", retry: undefined, fix: expect.stringContaining("ACL SETUSER") as string });
    await server.client.config("SET", "maxmemory", "1");
    onTestFinished(async () => void (await server.client.config("SET", "maxmemory", "0")));
    expect(await failureOf(server.url)).toMatchObject({ code: "SERVICE_QUOTA", retry: undefined });
  });

  it("names a right that is missing inside a script", async () => {
    await server.client.acl("SETUSER", "halfway", "on", ">only-reads", "~*", "+@all", "-rpush");
    expect(await failureOf(`redis://halfway:only-reads@127.0.0.1:${server.port}`)).toMatchObject({ code: "SERVICE_DENIED", retry: undefined });
  });

  it("lets the user that its advice makes do everything, in keys of its own", async () => {
    await server.client.acl("SETUSER", "advised", "on", ">geheim", "~twelve:session:*", "+@all");
    const store = await opened(`redis://advised:geheim@127.0.0.1:${server.port}`);
    await store.append({ user: "advised", session: "s" }, [entry], { expected: 0 });
    expect((await store.list("advised")).sessions).toHaveLength(1);
    expect(await store.deleteUser("advised")).toBe(1);
  });

  it("tells of a server that gives up entries where memory is short", async () => {
    const store = await opened(server.url);
    expect((await store.check()).detail).toBeUndefined();
    onTestFinished(async () => {
      await server.client.config("SET", "maxmemory", "0");
      await server.client.config("SET", "maxmemory-policy", "noeviction");
    });
    await server.client.config("SET", "maxmemory-policy", "allkeys-lru");
    await server.client.config("SET", "maxmemory", "1gb");
    expect((await store.check()).detail).toBe("maxmemory-policy allkeys-lru: entries are lost when memory is short");
  });

  it("says that a call broke off which the server was at work on", async () => {
    const store = await opened(server.url);
    await store.list("broken");
    await server.client.call("CLIENT", "PAUSE", "60000", "WRITE");
    const appending = store.append({ user: "broken", session: "s" }, [entry], { expected: 0 }).then(() => undefined, (error: unknown) => error);
    await expect.poll(async () => /^blocked_clients:1/m.test(await server.client.info("clients"))).toBe(true);
    await server.restart();
    expect(await appending).toMatchObject({ code: "SERVICE_CUT", retry: { afterMs: null } });
  });

  it("needs a password where one is set", async () => {
    await server.client.config("SET", "requirepass", "geheim");
    onTestFinished(async () => void (await server.client.config("SET", "requirepass", "")));
    expect(await failureOf(server.url)).toMatchObject({ code: "SERVICE_UNAUTHENTICATED", fix: expect.stringContaining("password") as string });
    expect(await failureOf(`redis://:geheim@127.0.0.1:${server.port}`)).toBeUndefined();
  });
});

/** A server that does with each connection what the test wants. */
async function answering(answer: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    answer(socket);
  });
  return `redis://me:secret@127.0.0.1:${await listening(server)}`;
}

/** A server that lets everybody in, and answers a script with this error. */
function refusingEval(reply: string): (socket: Socket) => void {
  return (socket) => void socket.on("data", (bytes) => {
    for (const [, command = ""] of bytes.toString().matchAll(/(?:^|\r\n)\*\d+\r\n\$\d+\r\n(\w+)/g)) {
      socket.write(/^info$/i.test(command) ? "$0\r\n\r\n" : /^eval/i.test(command) ? `-${reply}\r\n` : "+OK\r\n");
    }
  });
}

describe("redis sessions when things go wrong", () => {
  it("says that nothing answers", async () => {
    expect(await failureOf("redis://me:secret@127.0.0.1:1")).toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: { afterMs: null }, message: expect.stringMatching(/^redis:\/\/127\.0\.0\.1:1 cannot be reached/) as string });
  });

  it("says that a connection broke", async () => {
    expect(await failureOf(await answering((socket) => socket.once("data", () => socket.destroy())))).toMatchObject({ code: "SERVICE_CUT", retry: { afterMs: null } });
  });

  it("says that something else answers", async () => {
    for (const greeting of ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.6\r\n", "<html>"]) {
      expect(await failureOf(await answering((socket) => void socket.end(greeting)))).toMatchObject({ code: "SERVICE_FAILED", retry: undefined, message: expect.stringContaining("does not speak Redis's protocol") as string });
    }
  });

  it.each<[reply: string, expected: object]>([
    ["LOADING Redis is loading the dataset in memory", { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
    ["BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
    ["READONLY You can't write against a read only replica.", { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null }, fix: expect.stringContaining("primary") as string }],
    ["MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null }, fix: expect.stringContaining("disk") as string }],
    ["CLUSTERDOWN The cluster is down", { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
    ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
    ["OOM command not allowed when used memory > 'maxmemory'.", { code: "SERVICE_QUOTA", retry: undefined, fix: expect.stringContaining("maxmemory") as string }],
    ["MOVED 3999 127.0.0.1:6381", { code: "SERVICE_REJECTED", retry: undefined, fix: expect.stringContaining("cluster") as string }],
    ["ERR unknown command 'EVAL'", { code: "SERVICE_FAILED", retry: undefined }],
  ])("tells %s by its code", async (reply, expected) => {
    const failure = await failureOf(await answering(refusingEval(reply)));
    expect(failure).toMatchObject({ ...expected, message: expect.stringContaining(reply.slice(0, 30)) as string });
  });

  it("gives up on a server that says nothing", async () => {
    const url = await answering(() => {});
    expect(await failureOf(`${url}?timeoutMs=200`)).toMatchObject({ code: "SERVICE_TIMEOUT", retry: { afterMs: null } });
  });

  // What the driver says after the ten seconds that a connection may take, which no test waits for.
  it("calls a server that takes no connection slow, not broken", () => {
    const [error, last] = [new Error("Reached the max retries per request limit (which is 0)."), Object.assign(new Error("connect ETIMEDOUT"), { code: "ETIMEDOUT" })];
    expect(redisFailure(error, "redis://host:6379", last)).toMatchObject({ code: "SERVICE_TIMEOUT", retry: { afterMs: null }, fix: "Check that the server is not overloaded, then try again" });
    expect(redisFailure(error, "rediss://host:6379", last)).toMatchObject({ code: "SERVICE_TIMEOUT", fix: expect.stringContaining("the one for TLS") as string });
  });

  it.each(["redis://:p%zz@host", "rediss://u%:secret@host"])("refuses %s, which is not percent-encoded, without showing it", async (reference) => {
    const failure: unknown = await openSessions(reference, { dir: "/", env: {} }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringMatching(/^rediss?:\/\/host has a user or a password/) as string, fix: expect.stringContaining("percent-encoded") as string });
    expect(JSON.stringify([failure, String(failure)])).not.toMatch(/%zz|secret|u%/);
  });

  it.each(["redis:", "redis://", "redis://host/name", "redis://host?retry=3"])("refuses %s", async (reference) => {
    await expect(openSessions(reference, { dir: "/", env: {} })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED" });
  });
});

