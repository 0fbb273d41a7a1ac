import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Json } from "../../src/core/canonical-json.ts";
import { TwelveError } from "../../src/core/errors.ts";
import type { JobHandler, JobQueue, JobStatus } from "../../src/ports/queue.ts";

export type OpenQueue = (options?: { readonly version?: string }) => Promise<JobQueue>;

/** The promise of the queue port. All tests may share one database: each has jobs of its own kind. */
export function describeQueue(name: string, openQueue: OpenQueue): void {
  async function open(options?: { readonly version?: string }): Promise<JobQueue> {
    const queue = await openQueue(options);
    onTestFinished(() => queue.close());
    return queue;
  }

  describe(`${name} as a job queue`, () => {
    it("says that it is there, in its version", async () => {
      const queue = await open();
      await queue.list({ limit: 1 });
      expect(await queue.check()).toEqual({ version: expect.stringMatching(/^\d+\.\d+/), detail: expect.stringMatching(/^PostgreSQL/) });
    });

    describeJobs(open);
    describeFailures(open);
    describeCancelling(open);
    describeWorkers(open);
  });
}

let kinds = 0;
const newKind = (): string => `kind-${process.pid}-${(kinds += 1)}`;
const squares: JobHandler = {
  shard: (_, shard) => Promise.resolve(Number(shard) ** 2),
  join: (input, results) => Promise.resolve({ input, results }),
};

/** Lets the queue work until the test says so, at the latest until it ends. */
function startWork(queue: JobQueue, handlers: Readonly<Record<string, JobHandler>>, concurrency = 2): { stop(): Promise<void> } {
  const stop = new AbortController();
  const working = queue.work(handlers, { concurrency, signal: stop.signal, onReady: () => {}, warn: () => {} });
  const end = async (): Promise<void> => {
    stop.abort();
    await working;
  };
  onTestFinished(end);
  return { stop: end };
}

function ended(queue: JobQueue, id: string): Promise<JobStatus> {
  return vi.waitFor(async () => {
    const status = await queue.status(id);
    if (status === undefined || status.state === "queued" || status.state === "running") throw new Error(`${id} is ${status?.state}`);
    return status;
  }, { timeout: 50_000, interval: 50 });
}

function describeJobs(open: OpenQueue): void {
  it("joins what the shards gave, in the order of the shards", async () => {
    const [queue, kind] = [await open(), newKind()];
    const shards = Array.from({ length: 12 }, (_, index) => 12 - index);
    await queue.submit({ id: kind, kind, input: { text: "ä\u{1F600}" }, shards });
    startWork(queue, { [kind]: { ...squares, shard: async (_, shard) => (await sleep(Number(shard) * 5), Number(shard) ** 2) } }, 4);
    expect(await ended(queue, kind)).toEqual({
      id: kind, kind, state: "done", submitted: expect.any(Date), finished: expect.any(Date), shards: { done: 12, running: 0, total: 12 },
      result: { input: { text: "ä\u{1F600}" }, results: shards.map((shard) => shard ** 2) },
    });
  });

  it("joins nothing where there are no shards", async () => {
    const [queue, kind] = [await open(), newKind()];
    await queue.submit({ id: kind, kind, input: null, shards: [] });
    startWork(queue, { [kind]: squares });
    expect(await ended(queue, kind)).toMatchObject({ state: "done", shards: { done: 0, running: 0, total: 0 }, result: { input: null, results: [] } });
  });

  it("keeps a job until a worker comes", async () => {
    const [queue, kind] = [await open(), newKind()];
    await queue.submit({ id: kind, kind, input: 1, shards: [1, 2] });
    expect(await queue.status(kind)).toEqual({ id: kind, kind, state: "queued", submitted: expect.any(Date), shards: { done: 0, running: 0, total: 2 } });
    startWork(await open(), { [kind]: squares });
    expect(await ended(queue, kind)).toMatchObject({ state: "done" });
  });

  it("takes a job once, however often it is submitted", async () => {
    const [queue, kind] = [await open(), newKind()];
    await Promise.all(Array.from({ length: 5 }, () => queue.submit({ id: kind, kind, input: "first", shards: [2] })));
    await queue.submit({ id: kind, kind, input: "second", shards: [3, 4] });
    let calls = 0;
    startWork(queue, { [kind]: { ...squares, shard: (_, shard) => Promise.resolve((calls += 1) && shard) } });
    expect(await ended(queue, kind)).toMatchObject({ result: { input: "first", results: [2] } });
    await queue.submit({ id: kind, kind, input: "third", shards: [3, 4] });
    expect(await queue.status(kind)).toMatchObject({ state: "done", result: { input: "first", results: [2] } });
    expect(calls).toBe(1);
  });

  it("knows nothing of a job that was never submitted", async () => {
    const queue = await open();
    expect(await queue.status("nobody")).toBeUndefined();
    expect(await queue.cancel("nobody")).toBe(false);
    expect(await queue.list({ kind: "nobody" })).toEqual([]);
  });

  it("says how much of a kind waits and runs, for as long as it does", async () => {
    const [queue, kind, other] = [await open(), newKind(), newKind()];
    expect(await queue.depth(kind)).toEqual({ waiting: 0, running: 0 });
    await queue.submit({ id: `${other}/1`, kind: other, input: null, shards: [1, 2] });
    await queue.submit({ id: `${kind}/1`, kind, input: null, shards: [1, 2, 3] });
    await queue.submit({ id: `${kind}/2`, kind, input: null, shards: [] });
    expect(await queue.depth(kind)).toEqual({ waiting: 4, running: 0 });
    const [begun, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const shard = async (): Promise<Json> => {
      begun.resolve();
      await goOn.promise;
      return null;
    };
    startWork(queue, { [kind]: { ...squares, shard } }, 1);
    await begun.promise;
    await ended(queue, `${kind}/2`);
    expect(await queue.depth(kind)).toEqual({ waiting: 2, running: 1 });
    goOn.resolve();
    await ended(queue, `${kind}/1`);
    expect(await queue.depth(kind)).toEqual({ waiting: 0, running: 0 });
    expect(await queue.depth(other)).toEqual({ waiting: 2, running: 0 });
  });

  it("lists the newest jobs first, of one kind or of all", async () => {
    const [queue, kind, other] = [await open(), newKind(), newKind()];
    for (const id of ["1", "2", "3"]) await queue.submit({ id: `${kind}/${id}`, kind, input: null, shards: [] });
    await queue.submit({ id: other, kind: other, input: null, shards: [] });
    expect((await queue.list({ kind })).map(({ id }) => id)).toEqual([`${kind}/3`, `${kind}/2`, `${kind}/1`]);
    expect((await queue.list({ limit: 2 })).map(({ id }) => id)).toEqual([other, `${kind}/3`]);
  });
}

function describeFailures(open: OpenQueue): void {
  it("fails with what the handler said, and starts nothing more", async () => {
    const [queue, kind] = [await open(), newKind()];
    await queue.submit({ id: kind, kind, input: null, shards: [1, 2, 3, 4, 5] });
    const seen: Json[] = [];
    const shard = (_: Json, content: Json): Promise<Json> => {
      seen.push(content);
      return Promise.reject(new TwelveError("SOURCE_INVALID", "docs/a.md cannot be read", { fix: "Delete it", problems: [{ path: "source", message: "is a socket" }] }));
    };
    startWork(queue, { [kind]: { ...squares, shard } }, 1);
    expect(await ended(queue, kind)).toMatchObject({
      state: "failed", finished: expect.any(Date), shards: { done: 0, running: 0, total: 5 },
      failure: { code: "SOURCE_INVALID", message: "docs/a.md cannot be read; source: is a socket", fix: "Delete it" },
    });
    // What cannot be helped by trying again is tried once.
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeLessThan(5);
  });

  it("tries a shard again that failed for a passing reason", async () => {
    const [queue, kind] = [await open(), newKind()];
    await queue.submit({ id: kind, kind, input: null, shards: [3] });
    let calls = 0;
    const shard = (_: Json, content: Json): Promise<Json> =>
      (calls += 1) === 1 ? Promise.reject(new TwelveError("SERVICE_FAILED", "is away")) : squares.shard(_, content, { signal: new AbortController().signal });
    startWork(queue, { [kind]: { ...squares, shard } });
    expect(await ended(queue, kind)).toMatchObject({ state: "done", result: { results: [9] } });
    expect(calls).toBe(2);
  });

  it("fails when the results cannot be joined", async () => {
    const [queue, kind] = [await open(), newKind()];
    await queue.submit({ id: kind, kind, input: null, shards: [1] });
    startWork(queue, { [kind]: { ...squares, join: () => Promise.reject(new TwelveError("INDEX_STALE", "does not fit")) } });
    expect(await ended(queue, kind)).toMatchObject({ state: "failed", shards: { done: 1 }, failure: { code: "INDEX_STALE", message: "does not fit" } });
  });
}

function describeCancelling(open: OpenQueue): void {
  it("cancels a job that waits, once", async () => {
    const [queue, kind] = [await open(), newKind()];
    await queue.submit({ id: kind, kind, input: null, shards: [1] });
    expect(await queue.cancel(kind)).toBe(true);
    expect(await queue.cancel(kind)).toBe(false);
    expect(await queue.status(kind)).toMatchObject({ state: "cancelled", finished: expect.any(Date) });
    // Another job of the kind is done, so the worker has looked.
    await queue.submit({ id: `${kind}/2`, kind, input: null, shards: [2] });
    const seen: Json[] = [];
    startWork(queue, { [kind]: { ...squares, shard: (_, shard) => Promise.resolve(seen.push(shard)) } });
    await ended(queue, `${kind}/2`);
    expect(seen).toEqual([2]);
  });

  it("tells shards that run, and starts no others", async () => {
    const [queue, kind] = [await open(), newKind()];
    await queue.submit({ id: kind, kind, input: null, shards: [1, 2, 3] });
    const seen: Json[] = [];
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: told, resolve: tell } = Promise.withResolvers<void>();
    const shard = async (_: Json, content: Json, { signal }: { readonly signal: AbortSignal }): Promise<Json> => {
      seen.push(content);
      begin();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      tell();
      signal.throwIfAborted();
      return null;
    };
    const worker = startWork(queue, { [kind]: { ...squares, shard } }, 1);
    await begun;
    expect(await queue.status(kind)).toMatchObject({ state: "running", shards: { done: 0, running: 1, total: 3 } });
    expect(await queue.cancel(kind)).toBe(true);
    await told;
    await worker.stop();
    expect(await queue.status(kind)).toMatchObject({ state: "cancelled", shards: { done: 0, running: 0, total: 3 } });
    expect(seen).toHaveLength(1);
  });

  it("does not cancel what is done", async () => {
    const [queue, kind] = [await open(), newKind()];
    await queue.submit({ id: kind, kind, input: null, shards: [1] });
    startWork(queue, { [kind]: squares });
    await ended(queue, kind);
    expect(await queue.cancel(kind)).toBe(false);
    expect(await queue.status(kind)).toMatchObject({ state: "done" });
  });
}

function describeWorkers(open: OpenQueue): void {
  it("runs as many shards at a time as it may, and no more", async () => {
    const [queue, kind] = [await open(), newKind()];
    await queue.submit({ id: kind, kind, input: null, shards: Array.from({ length: 9 }, (_, index) => index) });
    let running = 0;
    let most = 0;
    const { promise: full, resolve } = Promise.withResolvers<void>();
    const shard = async (): Promise<Json> => {
      most = Math.max(most, (running += 1));
      if (running === 3) resolve();
      await full;
      running -= 1;
      return null;
    };
    startWork(queue, { [kind]: { ...squares, shard } }, 3);
    expect(await ended(queue, kind)).toMatchObject({ state: "done" });
    expect(most).toBe(3);
  });

  it("gives back what it holds when it is stopped", async () => {
    const [queue, kind] = [await open(), newKind()];
    await queue.submit({ id: kind, kind, input: null, shards: [1, 2, 3] });
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const shard = async (_: Json, __: Json, { signal }: { readonly signal: AbortSignal }): Promise<Json> => {
      begin();
      await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new TwelveError("REQUEST_INVALID", "stopped"))));
      return null;
    };
    const first = startWork(queue, { [kind]: { ...squares, shard } });
    await begun;
    await first.stop();
    expect(await queue.status(kind)).toMatchObject({ state: expect.stringMatching(/queued|running/), shards: { done: 0, total: 3 } });
    startWork(queue, { [kind]: squares });
    expect(await ended(queue, kind)).toMatchObject({ state: "done", result: { results: [1, 4, 9] } });
  });

  it("leaves jobs of other kinds and of other versions to workers that know them", async () => {
    const [queue, kind, other] = [await open(), newKind(), newKind()];
    const later = await open({ version: "later" });
    await queue.submit({ id: kind, kind, input: null, shards: [1] });
    await queue.submit({ id: other, kind: other, input: null, shards: [1] });
    await later.submit({ id: `${kind}/later`, kind, input: null, shards: [1] });
    const worker = startWork(later, { [kind]: squares });
    expect(await ended(queue, `${kind}/later`)).toMatchObject({ state: "done" });
    await worker.stop();
    expect(await queue.status(kind)).toMatchObject({ state: "queued" });
    expect(await queue.status(other)).toMatchObject({ state: "queued" });
  });
}
