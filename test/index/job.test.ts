import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { openEmbedder, openStore } from "../../src/adapters/registry.ts";
import type { Digest } from "../../src/core/descriptor.ts";
import command from "../../src/index/command.ts";
import { indexJobHandler } from "../../src/index/job.ts";
import { JobResult } from "../../src/index/job-schema.ts";
import { readIndex } from "../../src/index/read.ts";
import type { Context } from "../../src/ports/context.ts";
import type { Embedder } from "../../src/ports/embedding.ts";
import type { JobStatus } from "../../src/ports/queue.ts";
import type { Store } from "../../src/ports/store.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { documentName, manyDocument, manyDocuments } from "../helpers/many-documents.ts";
import { memoryQueue } from "../helpers/memory-queue.ts";

const count = 40;
const kind = "index_many_development";

let dir: string;
let store: Store;
let queue: ReturnType<typeof memoryQueue>;
beforeEach(async () => {
  dir = await manyDocuments(await temporaryFolder(), count);
  store = await openStore("memory:", { dir, env: {} });
  queue = memoryQueue();
});

/** What plain `twelve index` makes of the documents as they are, in a store of its own. */
async function plainDigest(): Promise<Digest> {
  const fresh = await testContext({ dir, store: await openStore("memory:", { dir, env: {} }) });
  const output = await command.run(command.input.parse({}), fresh);
  return (output as { readonly digest: Digest }).digest;
}

async function submit(input: Record<string, unknown> = {}): Promise<string> {
  const context = { ...(await testContext({ dir, store })), openQueue: () => Promise.resolve(queue) };
  return ((await command.run(command.input.parse({ detach: true, ...input }), context)) as { readonly job: string }).job;
}

/** A machine that works until the test ends. */
async function work(changes: Partial<Context> = {}, concurrency = 1): Promise<void> {
  const stop = new AbortController();
  const machine = await temporaryFolder();
  const handler = indexJobHandler({ ...(await testContext({ dir: machine, store, signal: stop.signal })), ...changes }, {});
  const working = queue.work({ [kind]: handler }, { concurrency, signal: stop.signal, onReady: () => {}, warn: () => {} });
  onTestFinished(async () => {
    stop.abort(new Error("over"));
    await working;
    await handler.close();
  });
}

function ended(id: string): Promise<JobStatus> {
  return vi.waitFor(async () => {
    const status = await queue.status(id);
    if (status === undefined || status.state === "queued" || status.state === "running") throw new Error(`${id} is ${status?.state}`);
    return status;
  }, { timeout: 30_000, interval: 5 });
}

/** The hash embedder of the index, with what is done to it. */
function embedder(change: (embedder: Embedder) => Partial<Embedder>): Partial<Context> {
  return {
    openEmbedder: async (reference) => {
      const opened = await openEmbedder(reference, { dir, env: {} });
      return { ...opened, ...change(opened) };
    },
  };
}

function counting(asked: string[]): Partial<Context> {
  return embedder((opened) => ({
    embed: (texts, task, signal) => {
      asked.push(...texts);
      return opened.embed(texts, task, signal);
    },
  }));
}

describe("an index job", () => {
  it.each([1, 3])("makes the index that plain `twelve index` makes, %i shards at a time", async (concurrency) => {
    const job = await submit();
    await work({}, concurrency);
    const { state, result } = await ended(job);
    expect(state).toBe("done");
    expect(JobResult.parse(result)).toEqual({ digest: await plainDigest(), documents: count, chunks: count * 2, embedded: count * 2, costUsd: 0, skipped: 0 });
    expect((await readIndex(store, "many", "docs")).descriptor.digest).toBe(JobResult.parse(result).digest);
  });

  it("builds on the index before it, and embeds only what is new", async () => {
    await work();
    await ended(await submit());
    await writeFile(join(dir, documentName(3)), manyDocument(3, "second"));
    await rm(join(dir, documentName(5)));
    const { result } = await ended(await submit());
    expect(result).toMatchObject({ digest: await plainDigest(), documents: count - 1, embedded: 1 });
  });

  it("only forgets where documents were only deleted", async () => {
    await work();
    await ended(await submit());
    await rm(join(dir, documentName(5)));
    const job = await submit();
    expect(await ended(job)).toMatchObject({ state: "done", shards: { total: 0 }, result: { digest: await plainDigest(), documents: count - 1, embedded: 0 } });
  });

  it("builds on the index that was the latest when it was submitted, whatever came meanwhile", async () => {
    await work();
    await ended(await submit());
    await writeFile(join(dir, documentName(3)), manyDocument(3, "second"));
    const wanted = await plainDigest();
    const stop = await store.refs.read("apps/many/indexes/docs/latest");
    const context = await testContext({ dir, store });
    const other = memoryQueue();
    const job = ((await command.run(command.input.parse({ detach: true }), { ...context, openQueue: () => Promise.resolve(other) })) as { readonly job: string }).job;
    await writeFile(join(dir, documentName(4)), manyDocument(4, "second"));
    await command.run(command.input.parse({}), context);
    expect(await store.refs.read("apps/many/indexes/docs/latest")).not.toEqual(stop);
    queue = other;
    await work();
    expect(await ended(job)).toMatchObject({ state: "done", result: { digest: wanted } });
  });

  it("embeds a text once that stands in every shard, however many run at once", async () => {
    await Promise.all(Array.from({ length: count }, (_, number) => writeFile(join(dir, documentName(number)), `# Same\n\nIn all of them.\n\n## Of ${number}\n\nNumber ${number}.`)));
    const asked: string[] = [];
    const job = await submit();
    await work(counting(asked), 3);
    expect(await ended(job)).toMatchObject({ state: "done", result: { embedded: count + 1 } });
    expect(asked.filter((text) => text === "Same\n\nIn all of them.")).toHaveLength(1);
  });

  it("uses what another worker has embedded since it opened the job", async () => {
    const names = Array.from({ length: count }, (_, number) => documentName(number)).sort();
    for (const name of [names[0], names[count - 1]]) await writeFile(join(dir, name ?? ""), manyDocument(1000));
    await submit();
    const [{ input, shards } = { input: null, shards: [] }] = queue.jobs;
    const { signal } = new AbortController();
    const [one, other] = await Promise.all([1, 2].map(async () => indexJobHandler(await testContext({ dir: await temporaryFolder(), store }), {})));
    onTestFinished(async () => void (await Promise.all([one?.close(), other?.close()])));
    expect(await other?.shard(input, shards[1] ?? null, { signal })).toMatchObject({ embedded: 32 });
    expect(await one?.shard(input, shards[0] ?? null, { signal })).toMatchObject({ embedded: 32 });
    expect(await other?.shard(input, shards[2] ?? null, { signal })).toMatchObject({ embedded: 14 });
  });

  it("opens the embedder and looks at its probe once for all shards", async () => {
    let opened = 0;
    const asked: string[] = [];
    const counted = counting(asked);
    const job = await submit();
    await work({ openEmbedder: (reference) => (opened++, counted.openEmbedder?.(reference) as Promise<Embedder>) }, 2);
    await ended(job);
    expect(opened).toBe(1);
    expect(asked.length - new Set(asked).size).toBe(0);
  });

  it("lists what it cannot read, and goes on", async () => {
    await writeFile(join(dir, "docs/broken.pdf"), "no pdf");
    const job = await submit();
    await work();
    expect(await ended(job)).toMatchObject({ state: "done", result: { digest: await plainDigest(), documents: count, skipped: 1 } });
  });

  it("publishes nothing when --strict was given and a file cannot be read", async () => {
    await writeFile(join(dir, "docs/broken.pdf"), "no pdf");
    const job = await submit({ strict: true });
    await work();
    const { state, failure } = await ended(job);
    expect(state).toBe("failed");
    expect(failure).toMatchObject({ code: "DOCUMENT_UNREADABLE", message: expect.stringMatching(/^A file of the sources cannot be indexed, and --strict was given; docs\/broken\.pdf: /) });
    await expect(readIndex(store, "many", "docs")).rejects.toMatchObject({ code: "INDEX_NOT_FOUND" });
  });

  it("fails when no file can be read", async () => {
    await rm(join(dir, "docs"), { recursive: true });
    await manyDocuments(dir, 0);
    await writeFile(join(dir, "docs/broken.pdf"), "no pdf");
    const job = await submit();
    await work();
    expect(await ended(job)).toMatchObject({ state: "failed", failure: { code: "SOURCE_INVALID", message: expect.stringContaining("docs/broken.pdf") } });
  });

  it("publishes nothing when it is cancelled, and what it embedded is there for the next", async () => {
    let job = "";
    let calls = 0;
    const cancelling = embedder((opened) => ({
      embed: async (texts, task, signal) => {
        // The probe is the first.
        if (++calls === 3) await queue.cancel(job);
        return opened.embed(texts, task, signal);
      },
    }));
    job = await submit();
    await work(cancelling);
    expect(await ended(job)).toMatchObject({ state: "cancelled" });
    await expect(readIndex(store, "many", "docs")).rejects.toMatchObject({ code: "INDEX_NOT_FOUND" });
    const again = await submit();
    expect(again).toBe(`${job}-2`);
    const { result } = await ended(again);
    expect(result).toMatchObject({ digest: await plainDigest(), embedded: expect.any(Number) });
    expect(JobResult.parse(result).embedded).toBeLessThan(count * 2);
  });

  it("starts afresh after a failure: the next try is not held up by the last one's", async () => {
    let calls = 0;
    await submit();
    const [{ input, shards } = { input: null, shards: [] }] = queue.jobs;
    const once = embedder((opened) => ({ embed: (texts, task, signal) => (++calls === 2 ? Promise.reject(new Error("once")) : opened.embed(texts, task, signal)) }));
    const handler = indexJobHandler({ ...(await testContext({ dir: await temporaryFolder(), store })), ...once }, {});
    onTestFinished(() => handler.close());
    const { signal } = new AbortController();
    await expect(handler.shard(input, shards[0] ?? null, { signal })).rejects.toThrow("once");
    expect(await handler.shard(input, shards[0] ?? null, { signal })).toMatchObject({ embedded: 32 });
  });

  it("is submitted again after a failure", async () => {
    let calls = 0;
    const failing = embedder((opened) => ({ embed: (texts, task, signal) => (++calls === 2 ? Promise.reject(new Error("once")) : opened.embed(texts, task, signal)) }));
    const first = await submit();
    await work(failing);
    expect(await ended(first)).toMatchObject({ state: "failed", failure: { message: "Error: once" } });
    expect(await ended(await submit())).toMatchObject({ state: "done", result: { digest: await plainDigest() } });
  });
});

describe("a worker that does not fit", () => {
  it("says that its store is another one", async () => {
    const job = await submit();
    const other = await openStore("memory:", { dir, env: {} });
    await work({ store: () => Promise.resolve(other) });
    expect(await ended(job)).toMatchObject({ state: "failed", failure: { code: "BLOB_NOT_FOUND", message: "The worker's store, memory:, does not hold the job's documents", fix: expect.stringContaining("TWELVE_STORE") } });
  });

  it.each([
    ["calls itself something else", (opened: Embedder): Partial<Embedder> => ({ identity: { ...opened.identity, model: "other" } }), "The job wants hash:"],
    ["gives other vectors under the same name", (opened: Embedder): Partial<Embedder> => ({ embed: async (texts, task) => (await opened.embed(texts, task)).map((vector) => vector.toReversed()) }), "gives this worker other vectors"],
  ])("is refused when its embedder %s", async (_, change, message) => {
    const job = await submit();
    await work(embedder(change));
    expect(await ended(job)).toMatchObject({ state: "failed", failure: { code: "EMBEDDER_DRIFTED", message: expect.stringContaining(message) } });
    await expect(readIndex(store, "many", "docs")).rejects.toMatchObject({ code: "INDEX_NOT_FOUND" });
  });
});
