import { setTimeout as sleep } from "node:timers/promises";
import { summaryOf, TwelveError } from "../../src/core/errors.ts";
import type { Job, JobHandler, JobQueue, JobStatus } from "../../src/ports/queue.ts";

export interface MemoryQueue extends JobQueue {
  /** Every job that was ever put in, in order. */
  readonly jobs: readonly Job[];
  /** Says of a job whatever a test wants to see told. */
  tell(id: string, change: Partial<JobStatus>): void;
  /** Whether somebody holds it open. */
  readonly isClosed: boolean;
}

/** A job queue of this process, with one worker at a time and no second tries. */
export function memoryQueue(url = "postgres://queue.test/state"): MemoryQueue {
  const jobs: Job[] = [];
  const statuses = new Map<string, JobStatus>();
  let submitted = 0;
  let closed = 0;

  const isOpen = (id: string): boolean => ["queued", "running"].includes(statuses.get(id)?.state ?? "");
  const tell = (id: string, change: Partial<JobStatus>): void => {
    const status = statuses.get(id);
    if (status !== undefined) statuses.set(id, { ...status, ...change });
  };

  async function work({ id, input, shards }: Job, handler: JobHandler, concurrency: number, stop: AbortSignal): Promise<void> {
    const cancelled = new AbortController();
    const signal = AbortSignal.any([stop, cancelled.signal]);
    const step = <Result>(work: () => Promise<Result>): Promise<Result> => {
      if (!isOpen(id)) cancelled.abort(new Error("cancelled"));
      signal.throwIfAborted();
      return work();
    };
    tell(id, { state: "running" });
    const results = Array.from({ length: shards.length }, () => null as Awaited<ReturnType<JobHandler["shard"]>>);
    const waiting = shards.entries();
    let done = 0;
    try {
      await Promise.all(Array.from({ length: concurrency }, async () => {
        for (const [index, shard] of waiting) {
          results[index] = await step(() => handler.shard(input, shard, { signal }));
          tell(id, { shards: { done: (done += 1), running: 0, total: shards.length } });
        }
      }));
      tell(id, { state: "done", finished: new Date(), result: await step(() => handler.join(input, results, { signal })) });
    } catch (error) {
      if (stop.aborted) tell(id, { state: "queued" });
      else if (isOpen(id)) tell(id, { state: "failed", finished: new Date(), failure: error instanceof TwelveError ? { code: error.code, message: summaryOf(error), fix: error.fix } : { message: String(error) } });
    }
  }

  return {
    url,
    check: () => Promise.resolve({ version: null }),
    jobs,
    tell,
    get isClosed() {
      return closed > 0;
    },
    async submit(job) {
      if (statuses.has(job.id)) return;
      // As a database would: what is kept is a copy, and JSON.
      jobs.push(JSON.parse(JSON.stringify(job)) as Job);
      statuses.set(job.id, { id: job.id, kind: job.kind, state: "queued", submitted: new Date(Date.UTC(2026, 0, 1) + (submitted += 1)), shards: { done: 0, running: 0, total: job.shards.length } });
    },
    status: (id) => Promise.resolve(statuses.get(id)),
    list: ({ kind, limit = 100 } = {}) => Promise.resolve([...statuses.values()].filter((status) => kind === undefined || status.kind === kind).toReversed().slice(0, limit)),
    depth(kind) {
      const open = [...statuses.values()].filter((status) => status.kind === kind && isOpen(status.id));
      const waiting = open.reduce((sum, { state, shards }) => sum + Math.max(shards.total - shards.done - shards.running, state === "queued" ? 1 : 0), 0);
      return Promise.resolve({ waiting, running: open.reduce((sum, { shards }) => sum + shards.running, 0) });
    },
    cancel(id) {
      const can = isOpen(id);
      if (can) tell(id, { state: "cancelled", finished: new Date() });
      return Promise.resolve(can);
    },
    async work(handlers, { concurrency, signal, onReady }) {
      onReady();
      while (!signal.aborted) {
        const job = jobs.find(({ id, kind }) => statuses.get(id)?.state === "queued" && Object.hasOwn(handlers, kind));
        if (job === undefined) await sleep(1);
        else await work(job, handlers[job.kind] as JobHandler, concurrency, signal);
      }
    },
    close: () => Promise.resolve(void (closed += 1)),
  };
}
