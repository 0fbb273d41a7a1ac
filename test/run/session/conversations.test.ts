import { describe, expect, it } from "vitest";
import { TwelveError } from "../../../src/core/errors.ts";
import type { SessionStore } from "../../../src/ports/session.ts";
import type { AnswerPart, AnswerRequest } from "../../../src/run/schema.ts";
import { openMemorySessions } from "../../helpers/memory-sessions.ts";
import { counting, key, keptAnswer, movableClock, open, slow, textOf, turn } from "./fixture.ts";

const owner = "session/demo/staging//ada";
const quick = { firstPauseMs: 1, longestPauseMs: 5 } as const;
const entriesOf = async (store: SessionStore) => (await store.read({ user: owner, session: "s-1" }))?.entries ?? [];
const lines = async (store: SessionStore): Promise<readonly string[]> => (await entriesOf(store)).map(({ role, content, data }) => `${role} ${content || JSON.stringify((data as { outcome?: string }).outcome)}`);

/** Says one text and then nothing, until it is told to fail or to go on. */
function hanging() {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  async function* answer(request: AnswerRequest): AsyncGenerator<AnswerPart> {
    yield { type: "text", text: "a" };
    begin();
    const { promise: aborted, reject: abort } = Promise.withResolvers<never>();
    request.signal?.addEventListener("abort", () => abort(request.signal?.reason));
    await Promise.race([promise, aborted]);
    yield { type: "end", answer: keptAnswer("late") };
  }
  return { answer, begun, finish: resolve, fail: reject };
}

describe("a conversation", () => {
  it("goes on in another process, with question, answer, calls and citations kept", async () => {
    const store = openMemorySessions();
    const chunk = { number: 2, id: "c-2", document: "docs/a.md", headings: "A", text: "long", metadata: {}, score: 0.5, scores: {} };
    await textOf(open(store).answer(turn("one"), true, async function* () {
      yield { type: "end", answer: keptAnswer("first [2]", { citations: [chunk] }) };
    }));
    const seen: unknown[] = [];
    await textOf(open(store).answer(turn("two", { messages: [{ role: "system", content: "Be kind." }, { role: "user", content: "two" }] }), true, (request) => {
      seen.push(request.messages);
      return counting(request);
    }));
    expect(seen).toEqual([[{ role: "system", content: "Be kind." }, { role: "user", content: "one" }, { role: "assistant", content: "first [2]" }, { role: "user", content: "two" }]]);
    // Instructions are for one turn.
    expect(await lines(store)).toEqual(["user one", "assistant first [2]", "user two", "assistant two saw 4"]);
    expect(await open(store).read(key)).toMatchObject({ turns: [{ agent: "support", outcome: "answered", messages: [{ role: "user", content: "one" }, { role: "assistant", content: "first [2]" }], citations: [{ number: 2, document: "docs/a.md", headings: "A", chunk: "c-2", score: 0.5 }] }, { outcome: "answered" }] });
  });

  it("has its turns in order and loses none, however many processes answer them at the same time", async () => {
    const store = openMemorySessions();
    const processes = Array.from({ length: 4 }, () => open(slow(store), { pace: quick }));
    const answers = await Promise.all(Array.from({ length: 40 }, async (_, index) => textOf((processes[index % 4] ?? open(store)).answer(turn(`q${index}`), { historyTokens: 1_000_000 }, counting))));
    const kept = await entriesOf(store);
    expect(kept).toHaveLength(80);
    // Each answer stands behind its question and saw every turn before it.
    for (let at = 0; at < 80; at += 2) expect([kept[at]?.role, kept[at + 1]?.content]).toEqual(["user", `${kept[at]?.content} saw ${at + 1}`]);
    expect(kept.flatMap(({ role, content }) => (role === "assistant" ? [content] : [])).toSorted()).toEqual(answers.toSorted());
  });

  it("keeps the order in which turns came to one process", async () => {
    const store = openMemorySessions();
    const conversations = open(slow(store), { pace: quick });
    const names = ["a", "b", "c", "d", "e", "f"];
    await Promise.all(names.map((name) => textOf(conversations.answer(turn(name), true, counting))));
    expect((await entriesOf(store)).flatMap(({ role, content }) => (role === "user" ? [content] : []))).toEqual(names);
  });

  it("is durable before its last part is given, and not given where it cannot be kept", async () => {
    const store = openMemorySessions();
    for await (const part of open(store).answer(turn("one"), true, counting)) expect([part.type, (await lines(store)).length]).toEqual(part.type === "end" ? ["end", 2] : ["text", 1]);
    let appends = 0;
    const full: SessionStore = { ...store, append: (...args) => ((appends += 1) === 2 ? Promise.reject(new TwelveError("SESSION_TOO_LARGE", `the secret name ${owner}`)) : store.append(...args)) };
    const given: string[] = [];
    await expect(async () => {
      for await (const part of open(full).answer(turn("two"), true, counting)) given.push(part.type);
    }).rejects.toMatchObject({ code: "SESSION_TOO_LARGE", message: 'The session "s-1" cannot take this turn: it is as large as the state service lets a session be' });
    expect(given).toEqual(["text"]);
    expect(await lines(store)).toEqual(["user one", "assistant one saw 1", "user two", 'system "failed"']);
  });

  it("waits for the turn before it, and says after a while that it is busy", async () => {
    const store = openMemorySessions();
    const { answer, begun, finish } = hanging();
    const first = textOf(open(store).answer(turn("one"), true, answer));
    await begun;
    const impatient = { ...quick, waitMs: 20 };
    await expect(textOf(open(store, { pace: impatient }).answer(turn("two"), true, counting))).rejects.toMatchObject({ code: "SESSION_BUSY", retry: { afterMs: null }, message: 'The session "s-1" is still being answered; this turn has waited 0.02 s for it' });
    const third = textOf(open(store, { pace: quick }).answer(turn("three"), true, counting));
    finish();
    expect([await first, await third]).toEqual(["late", "three saw 3"]);
  });

  it("takes over from a process that died, and the question stays without an answer", async () => {
    const store = openMemorySessions();
    const clock = movableClock();
    const { answer, begun } = hanging();
    // Renewed only after an hour: as good as dead.
    const dead = textOf(open(store, { clock, pace: { leaseMs: 8000, renewMs: 3_600_000 } }).answer(turn("one"), true, answer));
    void dead.catch(() => {});
    await begun;
    clock.pass(32_000);
    const after = open(store, { clock, pace: { ...quick, leaseMs: 8000 } });
    expect(await textOf(after.answer(turn("two"), true, counting))).toBe("two saw 2");
    expect((await after.read(key)).turns.map(({ outcome }) => outcome)).toEqual(["lost", "answered"]);
  });

  it("is not overwritten by a process that lost it meanwhile", async () => {
    const store = openMemorySessions();
    const clock = movableClock();
    const { answer, begun, finish } = hanging();
    const slept = textOf(open(store, { clock, pace: { leaseMs: 8000, renewMs: 3_600_000 } }).answer(turn("one"), true, answer));
    await begun;
    clock.pass(32_000);
    await textOf(open(store, { clock, pace: quick }).answer(turn("two"), true, counting));
    finish();
    await expect(slept).rejects.toMatchObject({ code: "SESSION_CONFLICT", retry: { afterMs: null }, message: expect.not.stringContaining(owner) });
    expect(await lines(store)).toEqual(["user one", "user two", "assistant two saw 2"]);
  });

  it("takes over from a process that died as soon as nothing was heard of it for a lease, whatever its clock says", async () => {
    const store = openMemorySessions();
    const clock = movableClock();
    clock.pass(3_600_000);
    const { answer, begun } = hanging();
    void textOf(open(store, { clock, pace: { ...quick, leaseMs: 9_000_000 } }).answer(turn("one"), true, answer)).catch(() => {});
    await begun;
    expect(await textOf(open(store, { pace: { ...quick, leaseMs: 80 } }).answer(turn("two"), true, counting))).toBe("two saw 2");
  });

  it("is held for as long as the answer takes, and an answer is stopped when the session is deleted", async () => {
    const store = openMemorySessions();
    const { answer, begun } = hanging();
    const pace = { ...quick, leaseMs: 150, renewMs: 5 };
    const conversations = open(store, { pace });
    const asked = textOf(conversations.answer(turn("one"), true, answer));
    await begun;
    await expect.poll(async () => (await entriesOf(store)).length).toBeGreaterThan(40);
    expect((await conversations.read(key)).turns).toMatchObject([{ outcome: "running", messages: [{ content: "one" }] }]);
    expect(await conversations.delete(key)).toBe(true);
    await expect(asked).rejects.toMatchObject({ code: "SESSION_CONFLICT" });
    expect(await textOf(conversations.answer(turn("two"), true, counting))).toBe("two saw 1");
  });

  it.each([
    ["failed", () => new TwelveError("SERVICE_UNAVAILABLE", "away"), "two saw 2"],
    ["refused", () => new TwelveError("SERVICE_FILTERED", "no"), "two saw 1"],
  ])("is free at once when an answer %s", async (outcome, failure, next) => {
    const store = openMemorySessions();
    const conversations = open(store);
    await expect(textOf(conversations.answer(turn("one"), true, async function* () {
      yield { type: "text", text: "a" };
      throw failure();
    }))).rejects.toThrow(TwelveError);
    expect((await conversations.read(key)).turns).toMatchObject([{ outcome }]);
    expect(await textOf(conversations.answer(turn("two"), true, counting))).toBe(next);
  });

  it("is free at once when the client goes away, in the middle of the answer and between two parts", async () => {
    const store = openMemorySessions();
    const conversations = open(store);
    const client = new AbortController();
    const { answer, begun } = hanging();
    const asked = textOf(conversations.answer(turn("one", { signal: client.signal }), true, answer));
    await begun;
    client.abort(new Error("The client went away"));
    await expect(asked).rejects.toThrow("The client went away");
    for await (const _ of conversations.answer(turn("two"), true, counting)) break;
    expect(await textOf(conversations.answer(turn("three"), true, counting))).toBe("three saw 3");
    expect((await conversations.read(key)).turns.map(({ outcome }) => outcome)).toEqual(["left", "left", "answered"]);
  });

  it("is free soon when the client goes away from something that does not listen", async () => {
    const conversations = open(openMemorySessions());
    const client = new AbortController();
    const { promise: asked, resolve: onAsk } = Promise.withResolvers<void>();
    const stuck = textOf(conversations.answer(turn("one", { signal: client.signal }), true, async function* () {
      onAsk();
      await new Promise(() => {});
      yield* [];
    }));
    await asked;
    client.abort(new Error("gone"));
    await expect(stuck).rejects.toThrow("gone");
    expect(await textOf(conversations.answer(turn("two"), true, counting))).toBe("two saw 2");
  });

  it("does not wait any more when the client goes away, and keeps nothing of that turn", async () => {
    const store = openMemorySessions();
    const conversations = open(store);
    const { answer, begun, finish } = hanging();
    const first = textOf(conversations.answer(turn("one"), true, answer));
    await begun;
    const client = new AbortController();
    const waiting = textOf(conversations.answer(turn("two", { signal: client.signal }), true, counting));
    client.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    const last = textOf(conversations.answer(turn("three"), true, counting));
    finish();
    expect([await first, await last]).toEqual(["late", "three saw 3"]);
  });

  it("refuses what cannot be a turn before anything is kept", async () => {
    const store = openMemorySessions();
    for (const messages of [[], [{ role: "user", content: " " }], [{ role: "system", content: "x" }], [{ role: "user", content: "a" }, { role: "assistant", content: "b" }, { role: "user", content: "c" }]] as const) {
      await expect(textOf(open(store).answer(turn("", { messages }), true, counting))).rejects.toMatchObject({ code: "REQUEST_INVALID" });
    }
    expect(await entriesOf(store)).toEqual([]);
  });

  it("is kept for as long as the agent says, thirty days where it says nothing", async () => {
    for (const [settings, days] of [[true, 30], [{ keepDays: 0.5 }, 0.5]] as const) {
      const store = openMemorySessions();
      await textOf(open(store).answer(turn("one"), settings, counting));
      const { expiresAt } = await open(store).read(key);
      expect(((expiresAt?.getTime() ?? 0) - Date.now()) / 86_400_000).toBeCloseTo(days, 3);
    }
  });

  it("is nobody else's: other users, applications and environments have their own", async () => {
    const store = openMemorySessions();
    const others = [{}, { app: "other" }, { environment: "production" }, { app: "demo/staging" }].map((change) => open(store, change));
    for (const conversations of others) expect(await textOf(conversations.answer(turn("one"), true, counting))).toBe("one saw 1");
    expect(await textOf(open(store).answer({ ...turn("one"), session: { ...key, user: "web/ada" } }, true, counting))).toBe("one saw 1");
    await expect(open(store).read({ ...key, user: "/eve" })).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
  });

  it("goes on when the state service is away for a moment, also where it took the append and did not say so", async () => {
    const store = openMemorySessions();
    let calls = 0;
    const shaky: SessionStore = {
      ...store,
      async append(...args) {
        calls += 1;
        // Never arrives, or arrives unseen.
        if (calls % 3 === 1) throw new TwelveError("SERVICE_UNAVAILABLE", "away");
        const version = await store.append(...args);
        if (calls % 3 === 2) throw new TwelveError("SERVICE_CUT", "cut");
        return version;
      },
    };
    const conversations = open(shaky);
    expect([await textOf(conversations.answer(turn("one"), true, counting)), await textOf(conversations.answer(turn("two"), true, counting))]).toEqual(["one saw 1", "two saw 3"]);
    expect(await lines(store)).toEqual(["user one", "assistant one saw 1", "user two", "assistant two saw 3"]);
  });
});
