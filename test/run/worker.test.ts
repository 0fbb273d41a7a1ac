import { createServer } from "node:http";
import { setImmediate } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../../src/adapters/registry.ts";
import { digestOf } from "../../src/core/descriptor.ts";
import indexCommand from "../../src/index/command.ts";
import { readManifest } from "../../src/manifest/read.ts";
import type { JobHandler, JobQueue } from "../../src/ports/queue.ts";
import type { Store } from "../../src/ports/store.ts";
import type { Address } from "../../src/run/http/listen.ts";
import { runWorker } from "../../src/run/worker.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { manyDocuments } from "../helpers/many-documents.ts";
import { listening } from "../helpers/listen.ts";
import { memoryQueue } from "../helpers/memory-queue.ts";
import { freePort } from "../helpers/program.ts";

let dir: string;
let store: Store;
let queue: ReturnType<typeof memoryQueue>;
beforeEach(async () => {
  dir = await manyDocuments(await temporaryFolder(), 20);
  store = await openStore("memory:", { dir, env: {} });
  queue = memoryQueue();
});

type WorkerRelease = Parameters<typeof runWorker>[1]["release"];
type Line = Readonly<Record<string, unknown>>;

/** Works until the job is over, or until `until` says so of a line of the log. */
async function work(changes: { readonly queues?: readonly string[]; readonly queue?: JobQueue; readonly metricsAt?: Address; readonly release?: WorkerRelease; readonly lines?: Line[] } = {}, until = (line: Line): boolean => line["event"] === "join-finished"): Promise<{ readonly lines: readonly Line[]; readonly told: readonly string[] }> {
  const stop = new AbortController();
  const { lines = [] } = changes;
  const context = await testContext({ dir, store, signal: stop.signal });
  const writeLine = (text: string): void => {
    const line = JSON.parse(text) as Line;
    lines.push(line);
    if (until(line)) stop.abort(new Error("stopped"));
  };
  const opened = { ...context, writeLine, openQueue: () => Promise.resolve(changes.queue ?? queue) };
  await runWorker(opened, { process: "worker", environment: "staging", queues: changes.queues ?? ["index"], concurrency: 1, isContentLogged: false, manifest: await readManifest(dir), release: changes.release, metricsAt: changes.metricsAt });
  return { lines, told: context.told };
}

async function submit(): Promise<string> {
  const context = { ...(await testContext({ dir, store })), openQueue: () => Promise.resolve(queue) };
  return ((await indexCommand.run(indexCommand.input.parse({ detach: true, env: "staging" }), context)) as { readonly job: string }).job;
}

describe("a worker", () => {
  it("writes a line for everything it does, and stops when it is asked to", async () => {
    const job = await submit();
    const { lines, told } = await work();
    const common = { time: expect.any(String), "twelve.app": "many", "twelve.environment": "staging", "twelve.process": "worker", "twelve.release.number": null, "twelve.release.digest": null };
    const step = { ...common, "twelve.job": job, "twelve.duration_ms": expect.any(Number), "error.type": null };
    expect(lines).toEqual([
      { ...common, event: "worker-ready", queue: "postgres://queue.test/state", queues: ["index"], concurrency: 1 },
      { ...step, event: "shard-finished", shard: 1, documents: 16, embedded: 32 },
      { ...step, event: "shard-finished", shard: 2, documents: 4, embedded: 8 },
      { ...step, event: "join-finished", shards: 2, "twelve.index.digest": expect.stringMatching(/^sha256:/) },
      { ...common, event: "worker-stopped" },
    ]);
    expect(told).toEqual([
      "note Working on index of postgres://queue.test/state, 1 at a time. Ctrl-C or SIGTERM stops",
      "note Stopping: what is not finished goes back to the queue. A second signal ends at once",
    ]);
    expect(queue.isClosed).toBe(true);
  });

  it("says why a step failed", async () => {
    await submit();
    store = await openStore("memory:", { dir, env: {} });
    const { lines } = await work({}, (line) => line["event"] === "shard-finished");
    expect(lines[1]).toMatchObject({ event: "shard-finished", shard: 1, "error.type": "BLOB_NOT_FOUND", "error.message": expect.stringContaining("memory:") });
  });

  it("says that a step was stopped, not that it failed", async () => {
    await submit();
    const stopping: JobQueue = {
      ...queue,
      work: (handlers, options) => {
        const [kind, handler] = Object.entries(handlers)[0] as [string, JobHandler];
        const aborted = AbortSignal.abort(new Error("stopped"));
        return queue.work({ [kind]: { shard: (input, shard) => handler.shard(input, shard, { signal: aborted }), join: () => Promise.resolve(null) } }, options);
      },
    };
    const { lines } = await work({ queue: stopping }, (line) => line["event"] === "shard-stopped");
    expect(lines.map(({ event }) => event)).toEqual(["worker-ready", "shard-stopped", "worker-stopped"]);
  });

  it("leaves the jobs of other environments alone", async () => {
    await submit();
    await queue.submit({ id: "index-docs-other", kind: "index-many-production", input: null, shards: [] });
    await work();
    expect(await queue.status("index-docs-other")).toMatchObject({ state: "queued" });
  });

  it("tells what waits and what it did at its /metrics, and works on without them where the port is taken", async () => {
    const port = await freePort();
    await submit();
    let text = "";
    let ready: number | undefined;
    const unready: number[] = [];
    const status = async (): Promise<number> => (await fetch(`http://127.0.0.1:${port}/readyz`)).status;
    const watch = async (): Promise<void> => {
      while (!text.includes("twelve_queue_depth{")) text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      ready = await status();
    };
    const waiting: JobQueue = {
      ...queue,
      list: async (options) => (unready.push(await status()), queue.list(options)),
      work(handlers, options) {
        options.onReady();
        return watch().then(() => queue.work(handlers, options));
      },
    };
    await work({ queue: waiting, metricsAt: { host: "127.0.0.1", port } });
    expect(text).toMatch(/twelve_queue_depth\{queue="index",state="waiting"\} 2\n.*"running"\} 0\n[^]*twelve_processes_ready 1\n/);
    expect([unready, ready]).toEqual([[503], 200]);
    await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow("fetch failed");

    const taken = await listening(createServer());
    await queue.submit({ id: "again", kind: "index-many-staging", input: null, shards: [] });
    const { told } = await work({ metricsAt: { host: "127.0.0.1", port: taken } }, (line) => line["event"] === "worker-ready");
    expect(told).toContain(`warn Port ${taken} on 127.0.0.1 is in use: this worker has no /metrics`);
  });

  it("is not ready before it holds its queue", async () => {
    const order: string[] = [];
    const slow: JobQueue = {
      ...queue,
      async work(handlers, options) {
        order.push("working");
        await setImmediate();
        return queue.work(handlers, { ...options, onReady: () => (order.push("held"), options.onReady()) });
      },
    };
    await work({ queue: slow }, ({ event }) => event === "worker-ready" && order.push("ready") > 0);
    expect(order).toEqual(["working", "held", "ready"]);
  });

  it("that cannot open the agents whose runs it should work on ends before it says that it is ready, or begins anything", async () => {
    await submit();
    const lines: Line[] = [];
    const release = { number: 1, releaseDescriptor: { mediaType: "", digest: digestOf("none"), size: 1 }, release: { app: "many", agents: {} }, attachments: { STATE_URL: { url: queue.url } } } as unknown as WorkerRelease;
    await expect(work({ queues: ["index", "runs"], release, lines })).rejects.toMatchObject({ code: "PROCESS_UNSUPPORTED", exit: 2, message: expect.stringContaining("no agent with tools") });
    expect(lines).toEqual([]);
  });

  it("has no other queue", async () => {
    await expect(work({ queues: ["index", "mail"] })).rejects.toMatchObject({ code: "PROCESS_UNSUPPORTED", message: "The process worker works on mail; this version has the queues index and runs", fix: "Declare it as `work: [index, runs]`, or one of them" });
  });
});
