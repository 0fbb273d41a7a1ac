/** Each fault at each request that a call makes. */
import { describe, expect, it } from "vitest";
import type { Session, SessionStore } from "../../../src/ports/session.ts";
import type { Fault, Lost } from "../../helpers/service-server.ts";
import { type AwsService, awsServices, codeOf, contentsOf, entry, key, refusal, type StartedService } from "./aws-services.ts";

/** The port says of these only that the append may have happened. */
const unclear = new Set(["SERVICE_TIMEOUT", "SERVICE_CUT", "SERVICE_UNAVAILABLE"]);

function kindOf({ code = "no code" }: { readonly code?: string }): string {
  return code.startsWith("SERVICE_") ? "a failure of the service" : code;
}

interface Failing {
  readonly fault: Fault | Lost;
  /** Whether all requests behind it fail, too. */
  readonly lasts?: boolean;
}

interface Trial<Seeded, Outcome> {
  /** What is there before, written without faults. */
  readonly seed: (store: SessionStore, started: StartedService) => Promise<Seeded>;
  readonly act: (store: SessionStore, seeded: Seeded) => Promise<Outcome>;
  /** What another process sees then, without faults. */
  readonly check: (seen: { readonly outcome: Outcome; readonly store: SessionStore; readonly seeded: Seeded; readonly size: () => number }) => Promise<void>;
  readonly now?: () => number;
}

/** Tries it with the fault at the first request, then at the second, until the call comes to its end without it. Gives the number of requests. */
async function atEachRequest<Seeded, Outcome>({ start, open }: AwsService, { fault, lasts = false }: Failing, { seed, act, check, now }: Trial<Seeded, Outcome>): Promise<number> {
  const isSlow = fault === "hang" || (typeof fault === "object" && "instead" in fault && fault.instead === "hang");
  for (let at = 0; ; at += 1) {
    let left = Infinity;
    const started = await start({
      faultOf() {
        left -= 1;
        return left === -1 || (lasts && left < 0) ? fault : undefined;
      },
    });
    const seeded = await seed(open(started.server), started);
    left = at;
    const outcome = await act(open(started.server, isSlow ? "?timeoutMs=150" : "", now), seeded);
    const wasMet = left < 0;
    left = Infinity;
    await check({ outcome, store: open(started.server, "", now), seeded, size: started.size });
    if (!wasMet) return at;
  }
}

async function checkAppend(outcome: string, { store, size, before, added }: { readonly store: SessionStore; readonly size: () => number; readonly before: readonly string[]; readonly added: readonly string[] }): Promise<void> {
  const after = await contentsOf(store);
  const whole = [...before, ...added];
  expect(outcome).toMatch(/^(?:done|SERVICE_.*)$/);
  expect(unclear.has(outcome) ? [before, whole] : [outcome === "done" ? whole : before]).toContainEqual(after);
  const version = (await store.read(key))?.version ?? 0;
  expect((await store.list("u")).sessions.map((listed) => listed.version)).toEqual(version === 0 ? [] : [version]);
  // It goes on from there, and nothing that cannot be deleted was left.
  await store.append(key, [{ ...entry, content: "next" }], { expected: version });
  expect(await contentsOf(store)).toEqual([...after, "next"]);
  expect(await store.deleteUser("u")).toBe(1);
  expect(size()).toBe(0);
}

describe.each(awsServices)("a fault at any request to $name", { timeout: 60_000 }, (service) => {
  const faults: readonly (readonly [string, Failing])[] = [
    ["refused", { fault: refusal(400, "ValidationException") }],
    ["denied from then on", { fault: refusal(403, "AccessDeniedException"), lasts: true }],
    ["expired credentials", { fault: refusal(403, "ExpiredTokenException"), lasts: true }],
    ["429", { fault: refusal(429, service.throttled) }],
    ["a quota", { fault: refusal(402, "ServiceQuotaExceededException") }],
    ["500", { fault: refusal(500, service.broken) }],
    ["garbage", { fault: "garbage" }],
    ["cut", { fault: "cut" }],
    ["reset", { fault: "reset" }],
    ["slow", { fault: "hang" }],
    // Carried out, and the answer lost on the way.
    ["500 afterwards", { fault: { instead: refusal(500, service.broken) } }],
    ["garbage afterwards", { fault: { instead: "garbage" } }],
    ["reset afterwards", { fault: { instead: "reset" } }],
    ["slow afterwards", { fault: { instead: "hang" } }],
  ];
  // The same for what makes more requests, and has less to lose.
  const few = faults.filter(([name]) => ["denied from then on", "429", "500", "garbage", "cut", "reset afterwards", "slow"].includes(name));
  const two = [entry, { ...entry, content: "second" }];
  const later = (): number => Date.now() + 70_000;

  it.each(faults)("lets a session begin once or not at all: %s", async (_, failing) => {
    const requests = await atEachRequest(service, failing, {
      seed: async () => 0,
      act: (store, expected) => codeOf(store.append(key, two, { expected })),
      check: ({ outcome, store, size }) => checkAppend(outcome, { store, size, before: [], added: ["text", "second"] }),
    });
    expect(requests).toBeGreaterThanOrEqual(1);
  });

  it.each(faults)("lets a session go on once or not at all: %s", async (_, failing) => {
    const requests = await atEachRequest(service, failing, {
      seed: (store) => store.append(key, [{ ...entry, content: "first" }], { expected: 0 }),
      act: (store, expected) => codeOf(store.append(key, two, { expected })),
      check: ({ outcome, store, size }) => checkAppend(outcome, { store, size, before: ["first"], added: ["text", "second"] }),
    });
    expect(requests).toBeGreaterThanOrEqual(1);
  });

  it.each(few)("lets a session go on once or not at all where the service has closed it: %s", async (_, failing) => {
    const requests = await atEachRequest(service, failing, {
      async seed(store, { end }) {
        const version = await store.append(key, [{ ...entry, content: "first" }], { expected: 0 });
        end?.();
        return version;
      },
      act: (store, expected) => codeOf(store.append(key, two, { expected })),
      check: ({ outcome, store, size }) => checkAppend(outcome, { store, size, before: ["first"], added: ["text", "second"] }),
    });
    expect(requests).toBeGreaterThanOrEqual(1);
  });

  it.each(few)("lets a session begin once or not at all where one has expired: %s", async (_, failing) => {
    const requests = await atEachRequest(service, failing, {
      now: later,
      seed: (store) => store.append(key, [{ ...entry, content: "old" }], { expected: 0, ttlSeconds: 60 }),
      act: (store) => codeOf(store.append(key, two, { expected: 0 })),
      check: ({ outcome, store, size }) => checkAppend(outcome, { store, size, before: [], added: ["text", "second"] }),
    });
    expect(requests).toBeGreaterThanOrEqual(1);
  });

  it.each(few)("reads all of a session, or says what is wrong: %s", async (_, failing) => {
    const requests = await atEachRequest(service, failing, {
      async seed(store) {
        const version = await store.append(key, two, { expected: 0 });
        await store.append(key, [{ ...entry, content: "third" }], { expected: version });
        return store.read(key);
      },
      act: (store): Promise<Session | string | undefined> => store.read(key).catch(kindOf),
      async check({ outcome, seeded }) {
        expect([seeded, "a failure of the service"]).toContainEqual(outcome);
      },
    });
    expect(requests).toBeGreaterThanOrEqual(1);
  });

  it.each(few)("lists all sessions, or says what is wrong: %s", async (_, failing) => {
    const names = ["a", "é", "with a space"];
    const requests = await atEachRequest(service, failing, {
      async seed(store) {
        for (const session of names) await store.append({ user: "u", session }, [entry], { expected: 0 });
      },
      act: (store) => store.list("u").then(({ sessions }) => sessions.map(({ session }) => session), kindOf),
      async check({ outcome }) {
        expect([["a", "with a space", "é"], "a failure of the service"]).toContainEqual(outcome);
      },
    });
    expect(requests).toBeGreaterThanOrEqual(1);
  });

  it.each(few)("deletes a session, or leaves it whole or gone, and deletes the rest with the next try: %s", async (_, failing) => {
    const requests = await atEachRequest(service, failing, {
      async seed(store, { end }) {
        const version = await store.append(key, two, { expected: 0 });
        end?.();
        await store.append(key, [{ ...entry, content: "third" }], { expected: version });
      },
      act: (store) => store.delete(key).catch(kindOf),
      async check({ outcome, store, size }) {
        expect([true, "a failure of the service"]).toContainEqual(outcome);
        expect([["text", "second", "third"], []]).toContainEqual(await contentsOf(store));
        expect(outcome === true ? size() : 0).toBe(0);
        await store.delete(key);
        expect(await contentsOf(store)).toEqual([]);
        expect(size()).toBe(0);
      },
    });
    expect(requests).toBeGreaterThanOrEqual(1);
  });

  it.each(few)("deletes a user's data, and with the next try what is left, and nothing of others: %s", async (_, failing) => {
    const requests = await atEachRequest(service, failing, {
      async seed(store) {
        for (const session of ["one", "with a space"]) await store.append({ user: "v", session }, [entry], { expected: 0 });
        await store.append(key, two, { expected: 0 });
      },
      act: (store) => store.deleteUser("v").catch(kindOf),
      async check({ outcome, store, size }) {
        expect([2, "a failure of the service"]).toContainEqual(outcome);
        await store.deleteUser("v");
        expect(await store.list("v")).toEqual({ sessions: [] });
        expect(size()).toBe(1);
        expect(await contentsOf(store)).toEqual(["text", "second"]);
      },
    });
    expect(requests).toBeGreaterThanOrEqual(1);
  });
});
