import { setTimeout as sleep } from "node:timers/promises";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../../src/adapters/registry.ts";
import { readDocument } from "../../src/artifact/document.ts";
import { Descriptor } from "../../src/core/descriptor.ts";
import { TwelveError } from "../../src/core/errors.ts";
import command from "../../src/index/command.ts";
import { submitIndex } from "../../src/index/detach.ts";
import type { DocumentFile } from "../../src/index/documents.ts";
import { type IndexJob, indexJobKind, JobInput, JobShard } from "../../src/index/job-schema.ts";
import { IndexSubmission } from "../../src/index/report.ts";
import { unpackShard } from "../../src/index/shard.ts";
import type { Store } from "../../src/ports/store.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { documentName, manyDocuments } from "../helpers/many-documents.ts";
import { memoryQueue } from "../helpers/memory-queue.ts";

let dir: string;
let store: Store;
let queue: ReturnType<typeof memoryQueue>;
beforeEach(async () => {
  dir = await manyDocuments(await temporaryFolder(), 20);
  store = await openStore("memory:", { dir, env: {} });
  queue = memoryQueue();
});

async function detach(input: Record<string, unknown> = {}): Promise<IndexSubmission> {
  const context = { ...(await testContext({ dir, store })), openQueue: () => Promise.resolve(queue) };
  return IndexSubmission.parse(await command.run(command.input.parse({ detach: true, ...input }), context));
}

async function jobOf(place: number): Promise<IndexJob> {
  return readDocument(store, indexJobKind, JobInput.parse(queue.jobs.at(place)?.input).job);
}

describe("twelve index --detach", () => {
  it("puts the documents into the store and the job onto the queue, and waits for nobody", async () => {
    const submission = await detach();
    expect(submission).toEqual({ kind: "submitted", job: expect.stringMatching(/^index-docs-[0-9a-f]{12}$/), name: "docs", documents: 20, shards: 2, queue: queue.url, worker: "worker" });
    const [job] = queue.jobs;
    expect(job).toMatchObject({ id: submission.job, kind: "index_many_development", input: { id: submission.job } });
    const shards = job?.shards.map((shard) => JobShard.parse(shard)) ?? [];
    expect(shards.map(({ number, documents }) => [number, documents])).toEqual([[1, 16], [2, 4]]);
    const files = (await Promise.all(shards.map(async (shard) => unpackShard(await store.blobs.read(shard.files))))).flat();
    expect(files.map(({ path }) => path).sort()).toEqual(Array.from({ length: 20 }, (_, number) => documentName(number)).sort());
    expect(await jobOf(0)).toMatchObject({ app: "many", environment: "development", name: "docs", settings: { embedder: "hash:256" }, base: null, left: [], strict: false, shards: shards.map((shard) => shard.files) });
    expect(await store.refs.list("apps/")).toEqual([]);
    expect(queue.isClosed).toBe(true);
  });

  it("says how to go on", async () => {
    const submission = await detach({ env: "staging" });
    expect(command.render(submission, command.input.parse({ env: "staging" })).split("\n")).toEqual([
      `Job ${submission.job}: 20 documents in 2 shards on postgres://queue.test/state`,
      "Workers: twelve run worker --env staging",
      `Next: twelve index wait ${submission.job} --env staging`,
    ]);
    expect(command.render({ ...submission, worker: null }, command.input.parse({})).split("\n")).toEqual([
      expect.any(String),
      "Workers: none is declared yet. Add to twelve.yaml: `processes: { worker: { work: [index] } }`",
      `Next: twelve index wait ${submission.job}`,
    ]);
  });

  it("finds a job again that waits or runs, also when two submit it at once", async () => {
    const [one, other] = await Promise.all([detach(), detach()]);
    expect(other).toEqual(one);
    queue.tell(one.job, { state: "running" });
    expect(await detach()).toEqual(one);
    expect(queue.jobs).toHaveLength(1);
  });

  it.each(["failed", "cancelled", "done"] as const)("submits a job anew that is %s", async (state) => {
    const { job } = await detach();
    queue.tell(job, { state });
    expect((await detach()).job).toBe(`${job}-2`);
    queue.tell(`${job}-2`, { state });
    expect((await detach()).job).toBe(`${job}-3`);
  });

  it("has a job of its own for each environment, option and state of the documents", async () => {
    const jobs = [await detach(), await detach({ env: "staging" }), await detach({ strict: true })];
    await writeFile(join(dir, documentName(3)), "# Other");
    jobs.push(await detach());
    expect(new Set(jobs.map(({ job }) => job)).size).toBe(4);
    expect(queue.jobs.map(({ kind }) => kind)).toEqual(["index_many_development", "index_many_staging", "index_many_development", "index_many_development"]);
  });

  it("sends only what changed, and names what goes", async () => {
    await command.run(command.input.parse({}), await testContext({ dir, store }));
    await writeFile(join(dir, documentName(3)), "# Other");
    await rm(join(dir, documentName(5)));
    expect(await detach()).toMatchObject({ documents: 1, shards: 1 });
    const { base, left } = await jobOf(0);
    expect(Descriptor.parse(base)).toEqual(JSON.parse((await store.refs.read("apps/many/indexes/docs/latest"))?.value ?? "").index);
    expect(left).toEqual([documentName(3), documentName(5)].sort());
  });

  it("needs no worker where nothing changed", async () => {
    const context = await testContext({ dir, store });
    const { digest } = (await command.run(command.input.parse({}), context)) as { readonly digest: string };
    expect(await command.run(command.input.parse({ detach: true }), context)).toMatchObject({ kind: "report", digest, isChanged: false });
  });

  it("submits nothing where there is no document, and cannot hold workers to a cost", async () => {
    await rm(join(dir, "docs"), { recursive: true });
    await writeFile(join(dir, "docs"), "");
    await expect(detach()).rejects.toMatchObject({ code: "SOURCE_INVALID" });
    await expect(detach({ maxCost: 1 })).rejects.toMatchObject({ code: "USAGE_INVALID", message: "--max-cost cannot hold workers on other machines back" });
    expect(queue.jobs).toEqual([]);
  });
});

describe("a job", () => {
  const facts = { provider: "hash", model: "m", dimensions: 8, normalised: true, documentTask: null, queryTask: null };
  const chunker = { name: "structure", version: 2, tokenizer: "cl100k_base", maxTokens: 400, overlapTokens: 50 };
  const job = { app: "a", environment: "development", name: "docs", settings: { source: ["docs"], embedder: "hash:8" }, embedder: facts, chunker, base: null, left: [], keptSkips: [], skipped: [], strict: false };

  function unreadable(path: string, afterMs: number): DocumentFile {
    const read = async (): Promise<Uint8Array> => {
      await sleep(afterMs);
      throw new TwelveError("SOURCE_INVALID", `${path} cannot be read: EIO`);
    };
    return { path, loader: "markdown@1", loaderName: "markdown", source: { path, sizeBytes: 1, read } };
  }
  function readable(path: string): DocumentFile {
    return { path, loader: "markdown@1", loaderName: "markdown", source: { path, sizeBytes: 1, read: () => Promise.resolve(new TextEncoder().encode(path)) } };
  }
  const submit = (files: readonly DocumentFile[], probe: Uint8Array = new Uint8Array(8)): ReturnType<typeof submitIndex> =>
    submitIndex({ store, queue, job, probe, files, signal: new AbortController().signal, onProgress: () => {} });

  it("names files that could not be read, and is the same in whatever order they were listed and tried", async () => {
    const first = await submit([readable("c.md"), readable("d.md"), unreadable("a.md", 20), unreadable("b.md", 0)]);
    const second = await submit([unreadable("b.md", 20), readable("d.md"), unreadable("a.md", 0), readable("c.md")]);
    expect(second).toEqual(first);
    expect((await jobOf(0)).skipped).toEqual([
      { path: "a.md", reason: "cannot be read: EIO", digest: null, loader: "markdown@1" },
      { path: "b.md", reason: "cannot be read: EIO", digest: null, loader: "markdown@1" },
    ]);
  });

  it("is the same where the embedder gives slightly other vectors", async () => {
    expect(await submit([], Uint8Array.of(1))).toEqual(await submit([], Uint8Array.of(2)));
    expect(queue.jobs).toHaveLength(1);
  });

  it("is not submitted when the command is interrupted", async () => {
    const reason = new Error("interrupted");
    await expect(submitIndex({ store, queue, job, probe: new Uint8Array(8), files: [], signal: AbortSignal.abort(reason), onProgress: () => {} })).rejects.toBe(reason);
    expect(queue.jobs).toEqual([]);
  });
});
