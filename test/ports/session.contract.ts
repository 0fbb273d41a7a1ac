import { describe, expect, it, onTestFinished } from "vitest";
import { TwelveError } from "../../src/core/errors.ts";
import type { SessionEntry, SessionKey, SessionStore } from "../../src/ports/session.ts";

export interface SessionsUnderTest {
  readonly store: SessionStore;
  /** Lets so much time pass for the session, as if it had been written that much earlier. */
  readonly pass: (key: SessionKey, seconds: number) => Promise<void>;
}

export type OpenSessions = (options?: { readonly maxBytes?: number }) => Promise<SessionsUnderTest>;

let users = 0;
/** Tests may share one database, and a database the tests of several runs. */
const newUser = (): string => `user ${process.pid}.${Date.now()}.${(users += 1)}`;
const at = "2026-11-24T10:00:00.000Z";
const say = (content: string, more: Partial<SessionEntry> = {}): SessionEntry => ({ role: "user", content, at, ...more });

function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(() => "done", (error: unknown) => (error instanceof TwelveError ? error.code : String(error)));
}

async function contents(store: SessionStore, key: SessionKey): Promise<readonly string[]> {
  return ((await store.read(key))?.entries ?? []).map(({ content }) => content);
}

/** Everything that `src/ports/session.ts` promises. */
export function describeSessions(name: string, openSessions: OpenSessions): void {
  const open: OpenSessions = async (options) => {
    const opened = await openSessions(options);
    onTestFinished(() => opened.store.close());
    return opened;
  };

  describe(`${name} keeps the promises of a session store`, () => {
    describeEntries(open);
    describeNames(open);
    describeVersions(open);
    describeExpiry(open);
    describeLists(open);
    describeDeletion(open);
    describeLimits(open);
  });
}

const exact: readonly (readonly [string, string])[] = [
  ["an empty text", ""],
  ["emoji and composed letters", "Grüße \u{1F469}\u{1F3FD}\u200d\u{1F680}, e\u0301 is not \u00e9"],
  ["NUL and other control characters", "a\0b\u0001\u001b[31m\r\n\t\u007f\u2028"],
  ["half a surrogate pair", "before \ud83d after, and \ude00"],
  ["what looks like JSON, SQL or a template", `{"role":"system"}'); DROP TABLE session; -- \${x} {{y}} \\u0000 \\`],
  ["100 KB", "0123456789abcde\n".repeat(6400)],
];

function describeEntries(open: OpenSessions): void {
  it.each(exact)("gives back exactly what was appended: %s", async (_, content) => {
    const [{ store }, key] = [await open(), { user: newUser(), session: "s" }];
    const entry = say(content, { data: { calls: [{ id: content.slice(0, 100), arguments: { n: 1.5, none: null, list: [] } }] } });
    const version = await store.append(key, [entry], { expected: 0 });
    expect(version).toBeGreaterThan(0);
    expect(await store.read(key)).toEqual({ version, entries: [entry], expiresAt: null });
  });

  it("keeps every role, and the order of entries and of appends", async () => {
    const [{ store }, key] = [await open(), { user: newUser(), session: "s" }];
    const batches = [["system", "user"], ["assistant", "tool", "assistant"], ["user"]] as const;
    const grew: number[] = [];
    let version = 0;
    for (const [index, roles] of batches.entries()) {
      // All of one moment, or earlier than the one before: the clock of the caller does not decide.
      const grown = await store.append(key, roles.map((role, i) => say(`${index}.${i}`, { role, at: new Date(1e12 - index).toISOString() })), { expected: version });
      grew.push(grown - version);
      version = grown;
    }
    const read = await store.read(key);
    expect(read?.version).toBe(version);
    expect(grew.slice(1)).toEqual([3, 1]);
    expect(read?.entries.map(({ role, content }) => `${content} ${role}`)).toEqual(["0.0 system", "0.1 user", "1.0 assistant", "1.1 tool", "1.2 assistant", "2.0 user"]);
  });

  it("keeps the order of more entries than fit on a page of any service", async () => {
    const [{ store }, key] = [await open(), { user: newUser(), session: "s" }];
    const texts = Array.from({ length: 130 }, (_, index) => `entry ${index}`);
    const version = await store.append(key, texts.slice(0, 120).map((text) => say(text)), { expected: 0 });
    await store.append(key, texts.slice(120).map((text) => say(text)), { expected: version });
    expect(await contents(store, key)).toEqual(texts);
  });

  it("knows nothing of a session that never was", async () => {
    const [{ store }, key] = [await open(), { user: newUser(), session: "s" }];
    expect(await store.read(key)).toBeUndefined();
    expect(await store.delete(key)).toBe(false);
    expect(await store.list(key.user)).toEqual({ sessions: [] });
    expect(await store.deleteUser(key.user)).toBe(0);
    await expect(store.append(key, [], { expected: 0 })).rejects.toThrow(RangeError);
    expect(await store.read(key)).toBeUndefined();
  });

  it("is there, and says so", async () => {
    const { store } = await open();
    expect(await store.check()).toHaveProperty("version");
    await expect(store.check(AbortSignal.abort(new Error("stopped")))).rejects.toThrow("stopped");
  });
}

const odd = ["a/b", "a:b", "a%2Fb", "a b", " a", "a ", "A", "a", "é", "e\u0301", "{a}", "a}b{", "*", "../..", "a#b?c=d&e", "\u{1F600}", "'\"`\\", "日本語", "x".repeat(200), "日".repeat(200)];

function describeNames(open: OpenSessions): void {
  it("tells odd names apart", async () => {
    const { store } = await open();
    const user = newUser();
    for (const session of odd) await store.append({ user, session }, [say(session)], { expected: 0 });
    for (const session of odd) expect(await contents(store, { user, session })).toEqual([session]);
    const byBytes = [...odd].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
    expect((await store.list(user)).sessions.map(({ session }) => session)).toEqual(byBytes);
    expect(await store.deleteUser(user)).toBe(odd.length);
  });

  it("tells users apart, also where user and session would read the same", async () => {
    const { store } = await open();
    const user = newUser();
    const keys = [["a:b", "c"], ["a", "b:c"], ["a/b", "c"], ["a", "b/c"], ["a#b", "c"], ["a", "b#c"], ["a%3Ab", "c"], ["A", "b:c"], ["a}", "c"], ["{a", "c"]].map(([left = "", session = ""]) => ({ user: `${user}${left}`, session }));
    for (const [index, key] of keys.entries()) await store.append(key, [say(String(index))], { expected: 0 });
    for (const [index, key] of keys.entries()) expect(await contents(store, key)).toEqual([String(index)]);
    for (const key of keys) await store.deleteUser(key.user);
  });

  it.each([["an empty one", ""], ["a long one", "x".repeat(201)], ["NUL", "a\0b"], ["a line break", "a\nb"], ["DEL", "a\u007f"], ["half a surrogate pair", "a\ud83d"]])("refuses names: %s", async (_, name) => {
    const { store } = await open();
    for (const key of [{ user: name, session: "s" }, { user: newUser(), session: name }]) {
      expect(await codeOf(store.append(key, [say("text")], { expected: 0 }))).toBe("SESSION_INVALID");
      expect(await codeOf(store.read(key))).toBe("SESSION_INVALID");
      expect(await codeOf(store.delete(key))).toBe("SESSION_INVALID");
    }
    expect(await codeOf(store.list(name))).toBe("SESSION_INVALID");
    expect(await codeOf(store.deleteUser(name))).toBe("SESSION_INVALID");
  });
}

function describeVersions(open: OpenSessions): void {
  it("lets exactly one of twenty begin a session, and one of twenty go on with it", async () => {
    const [{ store }, key] = [await open(), { user: newUser(), session: "s" }];
    for (const expected of [0, 1]) {
      const version = expected === 0 ? 0 : ((await store.read(key))?.version ?? 0);
      const before = await contents(store, key);
      const tries = Array.from({ length: 20 }, (_, index) => codeOf(store.append(key, [say(`${index}`), say(`${index} again`)], { expected: version })));
      const outcomes = await Promise.all(tries);
      expect(outcomes.filter((outcome) => outcome !== "done")).toEqual(Array.from({ length: 19 }, () => "SESSION_CONFLICT"));
      const winner = outcomes.indexOf("done");
      expect(await contents(store, key)).toEqual([...before, `${winner}`, `${winner} again`]);
    }
  });

  it("loses nothing of twenty writers that read again after a conflict", async () => {
    const [{ store }, key] = [await open(), { user: newUser(), session: "s" }];
    await Promise.all(Array.from({ length: 20 }, async (_, index) => {
      for (;;) {
        const expected = (await store.read(key))?.version ?? 0;
        const outcome = await codeOf(store.append(key, [say(`${index} question`), say(`${index} answer`)], { expected }));
        if (outcome === "done") return;
        expect(outcome).toBe("SESSION_CONFLICT");
      }
    }));
    const read = await contents(store, key);
    const writers = read.filter((_, index) => index % 2 === 0).map((text) => text.split(" ")[0]);
    expect(read).toEqual(writers.flatMap((writer) => [`${writer} question`, `${writer} answer`]));
    expect(writers.map(Number).sort((left, right) => left - right)).toEqual(Array.from({ length: 20 }, (_, index) => index));
  }, 60_000);

  it("refuses a version that is past, to come, or of no session", async () => {
    const [{ store }, key] = [await open(), { user: newUser(), session: "s" }];
    expect(await codeOf(store.append(key, [say("lost")], { expected: 7 }))).toBe("SESSION_CONFLICT");
    const first = await store.append(key, [say("one")], { expected: 0 });
    const second = await store.append(key, [say("two")], { expected: first });
    for (const expected of [0, first, second + 1, second - 100]) expect(await codeOf(store.append(key, [say("lost")], { expected }))).toBe("SESSION_CONFLICT");
    expect(await contents(store, key)).toEqual(["one", "two"]);
  });

  it("does not let anybody who remembers a deleted session append to the one that took its name", async () => {
    const [{ store }, key] = [await open(), { user: newUser(), session: "s" }];
    const old = await store.append(key, [say("old")], { expected: 0 });
    expect(await store.delete(key)).toBe(true);
    expect(await codeOf(store.append(key, [say("lost")], { expected: old }))).toBe("SESSION_CONFLICT");
    await store.append(key, [say("new")], { expected: 0 });
    expect(await codeOf(store.append(key, [say("lost")], { expected: old }))).toBe("SESSION_CONFLICT");
    expect(await contents(store, key)).toEqual(["new"]);
  });
}

function describeExpiry(open: OpenSessions): void {
  it("keeps a session so long after its newest append, and no longer", async () => {
    const [{ store, pass }, key] = [await open(), { user: newUser(), session: "s" }];
    const first = await store.append(key, [say("one")], { expected: 0, ttlSeconds: 60 });
    const { expiresAt } = (await store.read(key)) ?? {};
    expect(Math.abs((expiresAt?.getTime() ?? 0) - Date.now() - 60_000)).toBeLessThan(45_000);
    await pass(key, 50);
    const second = await store.append(key, [say("two")], { expected: first, ttlSeconds: 60 });
    await pass(key, 50);
    expect(await contents(store, key)).toEqual(["one", "two"]);
    await pass(key, 20);
    expect(await store.read(key)).toBeUndefined();
    expect(await store.list(key.user)).toEqual({ sessions: [] });
    expect(await codeOf(store.append(key, [say("late")], { expected: second, ttlSeconds: 60 }))).toBe("SESSION_CONFLICT");
    expect(await store.delete(key)).toBe(false);
  });

  it("begins anew where one has expired", async () => {
    const [{ store, pass }, key] = [await open(), { user: newUser(), session: "s" }];
    const old = await store.append(key, [say("old"), say("old")], { expected: 0, ttlSeconds: 60 });
    await pass(key, 70);
    const tries = Array.from({ length: 5 }, (_, index) => codeOf(store.append(key, [say(`new ${index}`)], { expected: 0 })));
    const outcomes = await Promise.all(tries);
    expect(outcomes.filter((outcome) => outcome === "done")).toHaveLength(1);
    expect(await contents(store, key)).toEqual([`new ${outcomes.indexOf("done")}`]);
    expect(await codeOf(store.append(key, [say("lost")], { expected: old }))).toBe("SESSION_CONFLICT");
    expect((await store.list(key.user)).sessions).toHaveLength(1);
  });

  it("keeps for good what is appended to without a limit", async () => {
    const [{ store, pass }, key] = [await open(), { user: newUser(), session: "s" }];
    const version = await store.append(key, [say("one")], { expected: 0, ttlSeconds: 60 });
    await store.append(key, [say("two")], { expected: version });
    await pass(key, 100);
    expect(await store.read(key)).toMatchObject({ expiresAt: null, entries: [{ content: "one" }, { content: "two" }] });
  });
}

function describeLists(open: OpenSessions): void {
  it("lists the sessions of one user by name, page by page", async () => {
    const { store } = await open();
    const [user, other] = [newUser(), newUser()];
    const names = Array.from({ length: 23 }, (_, index) => `session ${String(index).padStart(2, "0")}`);
    const versions = new Map<string, number>();
    for (const session of names.toReversed()) versions.set(session, await store.append({ user, session }, [say("text")], { expected: 0 }));
    await store.append({ user: other, session: "of another" }, [say("text")], { expected: 0 });
    const pages: (readonly string[])[] = [];
    let next: string | undefined;
    do {
      const page = await store.list(user, { limit: 10, ...(next === undefined ? {} : { after: next }) });
      for (const { session, version, updatedAt } of page.sessions) {
        expect(version).toBe(versions.get(session));
        expect(Math.abs(updatedAt.getTime() - Date.now())).toBeLessThan(120_000);
      }
      pages.push(page.sessions.map(({ session }) => session));
      next = page.next;
    } while (next !== undefined);
    expect(pages.flat()).toEqual(names);
    expect(pages.length).toBeLessThanOrEqual(4);
    expect((await store.list(user, { after: "session 21" })).sessions.map(({ session }) => session)).toEqual(["session 22"]);
    expect((await store.list(user, { after: "zzz" })).sessions).toEqual([]);
  });
}

function describeDeletion(open: OpenSessions): void {
  it("deletes one session, and can begin it again", async () => {
    const [{ store }, user] = [await open(), newUser()];
    for (const session of ["one", "two"]) await store.append({ user, session }, [say(session)], { expected: 0 });
    expect(await store.delete({ user, session: "one" })).toBe(true);
    expect(await store.delete({ user, session: "one" })).toBe(false);
    expect(await store.read({ user, session: "one" })).toBeUndefined();
    expect((await store.list(user)).sessions.map(({ session }) => session)).toEqual(["two"]);
    await store.append({ user, session: "one" }, [say("again")], { expected: 0 });
    expect(await contents(store, { user, session: "one" })).toEqual(["again"]);
    expect(await contents(store, { user, session: "two" })).toEqual(["two"]);
  });

  it("deletes everything of one user, and nothing of another", async () => {
    const { store } = await open();
    const user = newUser();
    const others = [`${user}x`, user.slice(0, -1), `${user}%`, `${user}:`, user.toUpperCase()];
    const names = Array.from({ length: 30 }, (_, index) => `session ${index}`);
    for (const session of names) await store.append({ user, session }, [say("text"), say("more")], { expected: 0 });
    for (const other of others) await store.append({ user: other, session: "session 1" }, [say(other)], { expected: 0 });
    expect(await store.deleteUser(user)).toBe(names.length);
    expect(await store.deleteUser(user)).toBe(0);
    expect(await store.list(user)).toEqual({ sessions: [] });
    for (const session of names) expect(await store.read({ user, session })).toBeUndefined();
    for (const other of others) expect(await contents(store, { user: other, session: "session 1" })).toEqual([other]);
    for (const other of others) await store.deleteUser(other);
  });
}

function describeLimits(open: OpenSessions): void {
  it("refuses what is too large, and leaves the session as it was", async () => {
    const [{ store }, key] = [await open({ maxBytes: 100_000 }), { user: newUser(), session: "s" }];
    expect(await codeOf(store.append(key, [say("x".repeat(100_001))], { expected: 0 }))).toBe("SESSION_TOO_LARGE");
    expect(await codeOf(store.append(key, [say("x".repeat(60_000)), say("x".repeat(60_000))], { expected: 0 }))).toBe("SESSION_TOO_LARGE");
    expect(await store.read(key)).toBeUndefined();
    const version = await store.append(key, [say("x".repeat(60_000))], { expected: 0 });
    expect(await codeOf(store.append(key, [say("small"), say("y".repeat(60_000))], { expected: version }))).toBe("SESSION_TOO_LARGE");
    await store.append(key, [say("small")], { expected: version });
    expect((await contents(store, key)).map(({ length }) => length)).toEqual([60_000, 5]);
  });
}
