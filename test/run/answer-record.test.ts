import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/descriptor.ts";
import { type AnswerRecordOptions, type KeptAnswer, largestAnswerBytes, openAnswerRecords, type Recording } from "../../src/run/answer-record.ts";
import type { SessionStore } from "../../src/ports/session.ts";
import { openMemorySessions } from "../helpers/memory-sessions.ts";
import { movableClock } from "./session/fixture.ts";

const request = { caller: "web", key: "k-1", digest: digestOf("one") };
const answer: KeptAnswer = { status: 200, headers: { "content-type": "application/json" }, body: '{"a":"é"}' };
const records = (store: SessionStore, change: Partial<AnswerRecordOptions> = {}) => openAnswerRecords({ app: "demo", environment: "staging", keepHours: 24, open: () => Promise.resolve(store), clock: movableClock(), ...change });

async function begin(store: SessionStore, change: Partial<typeof request> = {}, options: Partial<AnswerRecordOptions> = {}): Promise<Recording> {
  const begun = await records(store, options).begin({ ...request, ...change });
  if ("kept" in begun) throw new Error("Answered already");
  return begun.recording;
}

describe("the answers to keyed requests", () => {
  it("are given to the same request again, from whatever process", async () => {
    const store = openMemorySessions();
    await (await begin(store)).keep(answer);
    expect(await records(store).begin(request)).toEqual({ kept: answer });
  });

  it("are made by exactly one of many that ask at the same time", async () => {
    const store = openMemorySessions();
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => begin(store)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason.code] : []))).toEqual(Array.from({ length: 19 }, () => "IDEMPOTENCY_KEY_BUSY"));
  });

  it("are refused to another request under the same key: while the first is answered, after it, and when it was given up", async () => {
    const store = openMemorySessions();
    const other = { ...request, digest: digestOf("two") };
    const recording = await begin(store);
    await expect(records(store).begin(other)).rejects.toMatchObject({ code: "IDEMPOTENCY_KEY_REUSED" });
    await recording.release();
    await expect(records(store).begin(other)).rejects.toMatchObject({ code: "IDEMPOTENCY_KEY_REUSED" });
    await (await begin(store)).keep(answer);
    await expect(records(store).begin(other)).rejects.toMatchObject({ code: "IDEMPOTENCY_KEY_REUSED" });
  });

  it("are nobody else's: callers, environments and keys have their own", async () => {
    const store = openMemorySessions();
    const places = [[{}, {}], [{ caller: "" }, {}], [{ key: "K-1" }, {}], [{}, { environment: "production" }]] as const;
    const recordings = await Promise.all(places.map(([change, options]) => begin(store, change, options)));
    await Promise.all(recordings.map((recording, index) => recording.keep({ ...answer, body: `${index}` })));
    const kept = await Promise.all(places.map(([change, options]) => records(store, options).begin({ ...request, ...change })));
    expect(kept).toEqual(places.map((_, index) => ({ kept: { ...answer, body: `${index}` } })));
  });

  it("are made anew when the process that made them died, and it cannot keep its own any more", async () => {
    const [store, clock] = [openMemorySessions(), movableClock()];
    const dead = await begin(store, {}, { clock });
    await expect(begin(store, {}, { clock })).rejects.toMatchObject({ code: "IDEMPOTENCY_KEY_BUSY", retry: { afterMs: 1000 } });
    clock.pass(32_000);
    const next = await begin(store, {}, { clock });
    await expect(dead.keep({ ...answer, body: "late" })).rejects.toMatchObject({ code: "IDEMPOTENCY_KEY_BUSY" });
    await next.keep(answer);
    expect(await records(store).begin(request)).toEqual({ kept: answer });
  });

  it("are made anew as soon as the claim of the process that died is over, and was looked at for a while", async () => {
    const store = openMemorySessions();
    const [clock, leaseMs] = [movableClock(), 80];
    // Renewed only after hours: as good as dead.
    await begin(store, {}, { clock, leaseMs: 9_000_000 });
    await expect(begin(store, {}, { clock, leaseMs: 3_600_000 })).rejects.toMatchObject({ code: "IDEMPOTENCY_KEY_BUSY" });
    clock.pass(leaseMs);
    await (await begin(store, {}, { clock, leaseMs })).keep(answer);
    expect(await records(store).begin(request)).toEqual({ kept: answer });
  });

  it.each([
    ["too large for us", { ...answer, body: "x".repeat(largestAnswerBytes + 1) }, {}],
    ["too large for the store", { ...answer, body: "x".repeat(5000) }, { maxBytes: 4000 }],
    ["not recorded to its end", { ...answer, body: undefined }, {}],
  ])("leave a note where they are %s", async (_, given, options) => {
    const store = openMemorySessions(options);
    await (await begin(store)).keep(given);
    await expect(records(store).begin(request)).rejects.toMatchObject({ code: "IDEMPOTENCY_ANSWER_LOST" });
  });

  it("are gone after their time", async () => {
    const clock = movableClock();
    const store = openMemorySessions({ now: () => clock.now().getTime() });
    await (await begin(store, {}, { clock, keepHours: 1 })).keep(answer);
    clock.pass(3_599_000);
    expect(await records(store, { clock }).begin(request)).toEqual({ kept: answer });
    clock.pass(1000);
    await (await begin(store, { digest: digestOf("two") }, { clock })).release();
  });
});
