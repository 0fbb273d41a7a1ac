import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Json } from "../../src/core/canonical-json.ts";
import { TwelveError } from "../../src/core/errors.ts";
import type { NewRun, OngoingRun, RunEngine, RunEvent, RunHandler, RunKey, RunPage, RunsOf, RunStatus } from "../../src/ports/runs.ts";

export type OpenRuns = (options?: { readonly version?: string }) => Promise<RunEngine>;

let kinds = 0;
const newKind = (): string => `kind-${process.pid}-${(kinds += 1)}`;
const never = new AbortController().signal;

/** The promise of the run engine. All tests may share one database: each has runs of its own kind. */
export function describeRuns(name: string, openRuns: OpenRuns): void {
  async function open(options?: { readonly version?: string }): Promise<RunEngine> {
    const engine = await openRuns(options);
    onTestFinished(() => engine.close());
    return engine;
  }

  describe(`${name} as a run engine`, () => {
    it("records what a step gives, and gives it again to whoever goes on", async () => {
      const [engine, run] = [await open(), newRun()];
      await engine.submit(run);
      expect(await engine.status(run)).toEqual({ id: run.id, group: run.group, about: run.about, state: "queued", submitted: expect.any(Date), position: 0 });
      const calls: string[] = [];
      await startWork(engine, run.kind, async (input, { step, wait, id, group }) => {
        const first = await step("first", { type: "first" }, ({ number }) => (calls.push(`first ${number}`), Promise.resolve([input, id, group])));
        await wait({ go: { type: "asked" } });
        const second = await step("second", { type: "second" }, () => (calls.push("second"), Promise.resolve("two")));
        return [first, second];
      });
      await when(engine, run, "waiting");
      expect(calls).toEqual(["first 1"]);
      expect(await engine.decide(run, "go", { yes: true })).toEqual({ yes: true });
      const done = await when(engine, run, "done");
      expect(done).toMatchObject({ result: [[run.input, run.id, run.group], "two"], finished: expect.any(Date), position: 4 });
      expect(calls).toEqual(["first 1", "second"]);
      expect((await told(engine, run)).map(({ position, data }) => [position, data])).toEqual([
        [1, { type: "first", attempt: 1 }],
        [2, { type: "asked" }],
        [3, { yes: true }],
        [4, { type: "second", attempt: 1 }],
      ]);
    });

    it("keeps steps that run together apart, and their results in order", async () => {
      const [engine, run] = [await open(), newRun()];
      await engine.submit(run);
      const doors = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      await startWork(engine, run.kind, async (_, { step, wait }) => {
        const results = await Promise.all(doors.map((door, index) => step(`part ${index}`, {}, async () => {
          doors[index - 1]?.resolve();
          if (index === 2) door.resolve();
          await door.promise;
          return index;
        })));
        await wait({ go: {} });
        return results;
      });
      await when(engine, run, "waiting");
      await engine.decide(run, "go", null);
      expect(await when(engine, run, "done")).toMatchObject({ result: [0, 1, 2] });
    });

    it("takes a run once, however often it is submitted, and knows it by its whole key", async () => {
      const [engine, run] = [await open(), newRun()];
      await Promise.all([1, 2, 3].map(() => engine.submit(run)));
      await engine.submit({ ...run, input: "another", about: "another" });
      const other = { ...run, group: "other", input: "of another group" };
      await engine.submit(other);
      await startWork(engine, run.kind, (input) => Promise.resolve(input));
      expect(await when(engine, run, "done")).toMatchObject({ about: run.about, result: run.input });
      expect(await when(engine, other, "done")).toMatchObject({ result: "of another group" });
      expect(await engine.status({ ...run, group: "nobody" })).toBeUndefined();
      expect((await engine.list(run, { limit: 10 })).map(({ id }) => id)).toEqual([run.id]);
    });

    it("lists the newest first, page by page", async () => {
      const [engine, run] = [await open(), newRun()];
      for (const id of ["a/1", "b", "c", "d"]) await engine.submit({ ...run, id });
      const ids = async (page: RunPage, of: RunsOf = run): Promise<readonly string[]> => (await engine.list(of, page)).map(({ id }) => id);
      expect(await ids({ limit: 3 })).toEqual(["d", "c", "b"]);
      expect(await ids({ limit: 3, before: { ...run, id: "b" } })).toEqual(["a/1"]);
      await engine.submit({ ...run, group: `${run.group} ada`, id: "b" });
      await engine.submit({ ...run, group: `${run.group}2`, id: "e" });
      expect(await ids({ limit: 3 }, { ...run, isPrefix: true })).toEqual(["b", "d", "c"]);
      expect(await ids({ limit: 3, before: { ...run, id: "b" } }, { ...run, isPrefix: true })).toEqual(["a/1"]);
      const { oldestMs, ...depth } = await engine.depth(run.kind);
      expect(depth).toEqual({ waiting: 6, running: 0, undecided: 0 });
      expect(oldestMs).toBeLessThan(60_000);
      await expect.poll(async () => (await engine.depth(run.kind)).oldestMs).toBeGreaterThan(oldestMs);
    });

    it("lists those of one state, and of one outcome", async () => {
      const [engine, run] = [await open(), newRun()];
      await startWork(engine, run.kind, async (input, { wait }) => {
        if (input === "ask") await wait({ go: "asked" });
        if (input === "fail") throw new Error("no");
        return { limit: input, text: "\u0000" };
      });
      for (const [id, input] of [["whole", null], ["cut", "seconds"], ["asks", "ask"], ["fails", "fail"]] as const) await engine.submit({ ...run, id, input });
      await Promise.all([when(engine, { ...run, id: "whole" }, "done"), when(engine, { ...run, id: "cut" }, "done"), when(engine, { ...run, id: "asks" }, "waiting"), when(engine, { ...run, id: "fails" }, "failed")]);
      const ids = async (page: Omit<RunPage, "limit">): Promise<readonly string[]> => (await engine.list(run, { limit: 10, ...page })).map(({ id }) => id);
      expect(await ids({ states: ["waiting", "failed"] })).toEqual(["fails", "asks"]);
      expect(await ids({ states: ["queued"] })).toEqual([]);
      expect(await ids({ states: ["done"], result: { field: "limit", isNull: true } })).toEqual(["whole"]);
      expect(await ids({ states: ["done"], result: { field: "limit", isNull: false } })).toEqual(["cut"]);
      expect(await engine.depth(run.kind)).toMatchObject({ waiting: 0, undecided: 1 });
      await engine.decide({ ...run, id: "asks" }, "go", "yes");
      await when(engine, { ...run, id: "asks" }, "done");
      expect(await engine.depth(run.kind)).toMatchObject({ undecided: 0 });
    });

    it("tells an event once under its key, and goes on behind any position", async () => {
      const [engine, run] = [await open(), newRun()];
      await engine.submit(run);
      await startWork(engine, run.kind, async (_, { tell, wait }) => {
        await tell("a", "ä\u0000");
        await tell("a", "again");
        await wait({ go: "asked" });
        await tell("b", { b: 1 });
        return null;
      });
      const following: RunEvent[] = [];
      const followed = (async () => {
        for await (const event of engine.events(run, { after: 1, signal: never })) following.push(event);
      })();
      await when(engine, run, "waiting");
      await engine.decide(run, "go", "decided");
      await when(engine, run, "done");
      await followed;
      expect(following.map(({ position, data }) => [position, data])).toEqual([[2, "asked"], [3, "decided"], [4, { b: 1 }]]);
      expect((await told(engine, run)).map(({ data }) => data)).toEqual(["ä\u0000", "asked", "decided", { b: 1 }]);
    });

    it("takes the first decision, and none that nobody asked for", async () => {
      const [engine, run] = [await open(), newRun()];
      await engine.submit(run);
      await startWork(engine, run.kind, async (_, { wait }) => (await wait({ go: {} })).decisions.go ?? null);
      await when(engine, run, "waiting");
      expect(await engine.decide(run, "other", 1)).toBeUndefined();
      expect(await engine.decide({ ...run, id: "unknown" }, "go", 1)).toBeUndefined();
      const decisions = await Promise.all([engine.decide(run, "go", 1), engine.decide(run, "go", 2)]);
      expect(decisions[0]).toBe(decisions[1]);
      expect(await when(engine, run, "done")).toMatchObject({ result: decisions[0] });
      expect(await engine.decide(run, "go", 3)).toBe(decisions[0]);
    });

    it("comes back with all decisions that it asked for together, in whatever order they are made", async () => {
      const [engine, run] = [await open(), newRun()];
      await engine.submit(run);
      let times = 0;
      await startWork(engine, run.kind, async (_, { wait }) => ((times += 1), (await wait({ one: "first?", two: "second?" })).decisions));
      await when(engine, run, "waiting");
      expect(await engine.decide(run, "two", "no")).toBe("no");
      expect(await engine.status(run)).toMatchObject({ state: "waiting", position: 3 });
      await engine.decide(run, "one", "yes");
      expect(await when(engine, run, "done")).toMatchObject({ result: { one: "yes", two: "no" } });
      expect(times).toBe(2);
    });

    it("comes back later to what could not go on, and can be cancelled meanwhile", async () => {
      const [engine, run] = [await open(), newRun()];
      const cancelled = { ...run, id: "cancelled" };
      let isThere = false;
      const first = await startWork(engine, run.kind, async (input, { postpone }) => {
        if (!isThere) await postpone({ type: "away", reason: "not yet" });
        return input;
      });
      for (const each of [run, cancelled]) {
        await engine.submit(each);
        await vi.waitFor(async () => expect(await engine.status(each)).toMatchObject({ state: "running", position: 1 }), { timeout: 20_000 });
      }
      expect((await engine.status(run))?.finished).toBeUndefined();
      await vi.waitFor(async () => expect(await engine.cancel(cancelled)).toBe(true), { timeout: 20_000 });
      // Whoever takes it next may have what was missing.
      await first.stop();
      isThere = true;
      await startWork(engine, run.kind, (input) => Promise.resolve(input));
      expect(await when(engine, run, "done")).toMatchObject({ result: run.input });
      expect((await told(engine, run)).map(({ data }) => data)).toMatchObject([{ type: "away", reason: "not yet", attempt: 1, again_at: expect.any(String) }]);
      expect(await engine.status(cancelled)).toMatchObject({ state: "cancelled" });
    });

    it("knows how long it was away since it first went on", async () => {
      const [engine, run] = [await open(), newRun()];
      let lives = 0;
      await startWork(engine, run.kind, async (_, { postpone, step, restedMs }) => {
        lives += 1;
        if (lives === 1) await postpone({ type: "away" });
        await step("one", { type: "one" }, () => Promise.resolve(null));
        if (lives === 2) await postpone({ type: "away" });
        await step("two", { type: "two" }, () => Promise.resolve(null));
        return restedMs();
      });
      await engine.submit(run);
      const { result } = await when(engine, run, "done");
      const events = await told(engine, run);
      expect(events.map(({ data }) => (data as { readonly type: string }).type)).toEqual(["away", "one", "away", "two"]);
      const [, , left, back] = events.map(({ at }) => at.getTime());
      expect(result).toBeGreaterThan(0);
      expect(result).toBeCloseTo((back ?? 0) - (left ?? 0), -1);
    });

    it("loses no decision that comes in the moment in which a run begins to wait", async () => {
      const [engine, run] = [await open(), newRun()];
      const ids = Array.from({ length: 12 }, (_, index) => `run ${index}`);
      await startWork(engine, run.kind, async (_, { wait }) => (await wait({ go: "asked" })).decisions.go ?? null, 12);
      await Promise.all(ids.map(async (id) => {
        await engine.submit({ ...run, id });
        for await (const { data } of engine.events({ ...run, id }, { after: 0, signal: never })) if (data === "asked") break;
        expect(await engine.decide({ ...run, id }, "go", id)).toBe(id);
      }));
      for (const id of ids) expect(await when(engine, { ...run, id }, "done")).toMatchObject({ result: id });
    });

    it("fails with what the handler said, and with what a step said", async () => {
      const [engine, run] = [await open(), newRun()];
      const inStep = { ...run, id: "in-step" };
      await engine.submit(run);
      await engine.submit(inStep);
      const fail = (): Promise<Json> => Promise.reject(new TwelveError("SERVICE_DENIED", "No entry", { fix: "Ask for the key" }));
      await startWork(engine, run.kind, (_, { step, id }) => (id === "in-step" ? step("one", {}, fail) : fail()));
      for (const key of [run, inStep]) expect((await when(engine, key, "failed")).failure).toEqual({ code: "SERVICE_DENIED", message: "No entry", fix: "Ask for the key" });
    });

    it("says of a failure whether the same may succeed later, and when", async () => {
      const [engine, run] = [await open(), newRun()];
      const waits = { soon: 1500, sometime: null, never: undefined } as const;
      await startWork(engine, run.kind, (_, { id }) => {
        const afterMs = waits[id as keyof typeof waits];
        return Promise.reject(new TwelveError("SERVICE_LIMITED", "Too fast", { fix: "Wait", ...(afterMs === undefined ? {} : { retry: { afterMs } }) }));
      });
      for (const id of Object.keys(waits)) await engine.submit({ ...run, id });
      const failures = await Promise.all(Object.keys(waits).map(async (id) => (await when(engine, { ...run, id }, "failed")).failure));
      const failure = { code: "SERVICE_LIMITED", message: "Too fast", fix: "Wait" };
      expect(failures).toEqual([{ ...failure, afterMs: 1500 }, { ...failure, afterMs: null }, failure]);
    });

    it("cancels what is queued, what runs and what waits, and not what is over", async () => {
      const [engine, run] = [await open(), newRun()];
      await engine.submit({ ...run, id: "queued" });
      expect(await engine.cancel({ ...run, id: "queued" })).toBe(true);
      expect(await engine.cancel({ ...run, id: "queued" })).toBe(false);
      expect(await engine.cancel({ ...run, id: "unknown" })).toBe(false);
      const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
      const begun = Promise.withResolvers<void>();
      await startWork(engine, run.kind, async (_, { id, step, wait }) => {
        if (id === "waiting") return (await wait({ go: {} })).decisions.go ?? null;
        return step("long", {}, async ({ signal }) => {
          begun.resolve();
          await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
          stop();
          throw signal.reason;
        });
      });
      await engine.submit({ ...run, id: "running" });
      await begun.promise;
      expect(await engine.cancel({ ...run, id: "running" })).toBe(true);
      await stopped;
      await engine.submit({ ...run, id: "waiting" });
      await when(engine, { ...run, id: "waiting" }, "waiting");
      expect(await engine.cancel({ ...run, id: "waiting" })).toBe(true);
      expect(await engine.decide({ ...run, id: "waiting" }, "go", 1)).toBeUndefined();
      for (const id of ["queued", "running", "waiting"]) expect(await engine.status({ ...run, id })).toMatchObject({ state: "cancelled", finished: expect.any(Date) });
    });

    it("gives back what it holds when it is stopped, and counts the attempts", async () => {
      const [engine, run] = [await open(), newRun()];
      await engine.submit(run);
      const begun = Promise.withResolvers<void>();
      const attempts: number[] = [];
      const handler: RunHandler = (_, { step }) =>
        step("one", {}, async ({ number, signal }) => {
          attempts.push(number);
          if (number > 1) return "two";
          begun.resolve();
          await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
          return null;
        });
      const first = await startWork(engine, run.kind, handler);
      await begun.promise;
      await first.stop();
      expect(await engine.status(run)).toMatchObject({ state: "running" });
      await startWork(engine, run.kind, handler);
      expect(await when(engine, run, "done")).toMatchObject({ result: "two" });
      expect(attempts).toEqual([1, 2]);
    });

    it("waits for a step that must be finished before it stops", async () => {
      const [engine, run] = [await open(), newRun()];
      await engine.submit(run);
      const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const attempts: number[] = [];
      const handler: RunHandler = (_, { step }) =>
        step("one", {}, async ({ number }) => {
          attempts.push(number);
          begun.resolve();
          await end.promise;
          return "finished";
        }, { isFinished: true });
      const first = await startWork(engine, run.kind, handler);
      await begun.promise;
      const stopped = first.stop();
      end.resolve();
      await stopped;
      await startWork(engine, run.kind, handler);
      expect(await when(engine, run, "done")).toMatchObject({ result: "finished" });
      expect(attempts).toEqual([1]);
    });

    it("takes no more runs when it is told so, and goes on with what runs and what is begun here", async () => {
      const [engine, run] = [await open(), newRun()];
      const [begun, end, taking] = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), new AbortController()];
      await startWork(engine, run.kind, async (input) => {
        if (input !== "long") return input;
        begun.resolve();
        await end.promise;
        return "finished";
      }, 4, taking.signal);
      const long = { ...run, id: "long", input: "long" };
      await engine.submit(long);
      await begun.promise;
      taking.abort();
      await engine.submit(run);
      // While others are taken, this one would be, too.
      const [elsewhere, other] = [await open(), newRun()];
      await startWork(elsewhere, other.kind, (input) => Promise.resolve(input));
      for (const id of ["one", "two", "three"]) {
        await elsewhere.submit({ ...other, id });
        await when(elsewhere, { ...other, id }, "done");
      }
      expect(await engine.status(run)).toMatchObject({ state: "queued" });
      await (await engine.start({ ...run, id: "here" })).ended;
      end.resolve();
      expect(await when(engine, long, "done")).toMatchObject({ result: "finished" });
      expect(await engine.status(run)).toMatchObject({ state: "queued" });
    });

    it("begins a run in this process, at once", async () => {
      const [engine, run] = [await open(), newRun()];
      await startWork(engine, run.kind, async (input, { wait }) => (input === "waits" ? wait({ go: {} }).then(({ decisions }) => decisions.go ?? null) : input === "fails" ? Promise.reject(new TwelveError("AGENT_UNKNOWN", "Nobody")) : input), 1);
      const { ended } = await engine.start(run);
      await ended;
      expect(await engine.status(run)).toMatchObject({ state: "done", result: run.input });
      const waits = { ...run, id: "waits", input: "waits" };
      await (await engine.start(waits)).ended;
      expect(await engine.status(waits)).toMatchObject({ state: "waiting" });
      await engine.decide(waits, "go", "gone");
      expect(await when(engine, waits, "done")).toMatchObject({ result: "gone" });
      await expect((await engine.start({ ...run, id: "fails", input: "fails" })).ended).rejects.toThrow("Nobody");
    });

    it("goes on with runs that another version of the program began", async () => {
      const [engine, run] = [await open({ version: "older" }), newRun()];
      await engine.submit(run);
      await startWork(await open({ version: "newer" }), run.kind, (input) => Promise.resolve(input));
      expect(await when(engine, run, "done")).toMatchObject({ result: run.input });
    });
  });

  function newRun(): NewRun {
    const kind = newKind();
    return { kind, group: `${kind} of/somebody`, id: "one two", input: { text: "ä\u{1F600}" }, about: { agent: "support" } };
  }
}

/** At work, until the test says so, at the latest until it ends. */
async function startWork(engine: RunEngine, kind: string, handler: (input: Json, run: OngoingRun) => Promise<Json>, concurrency = 4, taking?: AbortSignal): Promise<{ stop(): Promise<void> }> {
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const working = engine.work({ [kind]: handler }, { concurrency, signal: stop.signal, ...(taking && { taking }), onReady: () => ready.resolve(), warn: () => {} });
  working.catch((error: unknown) => ready.reject(error));
  const end = async (): Promise<void> => {
    stop.abort();
    await working;
  };
  onTestFinished(end);
  await ready.promise;
  return { stop: end };
}

function when(engine: RunEngine, run: RunKey, state: RunStatus["state"]): Promise<RunStatus> {
  return vi.waitFor(async () => {
    const status = await engine.status(run);
    if (status?.state !== state) throw new Error(`${run.id} is ${JSON.stringify(status)}`);
    return status;
  }, { timeout: 50_000, interval: 50 });
}

async function told(engine: RunEngine, run: RunKey): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of engine.events(run, { after: 0, signal: never })) events.push(event);
  return events;
}
