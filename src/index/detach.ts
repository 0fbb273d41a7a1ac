import { writeDocument } from "../artifact/document.ts";
import { mapAhead } from "../core/ahead.ts";
import { type Descriptor, shortDigest } from "../core/descriptor.ts";
import { indexQueue } from "../manifest/process.ts";
import type { Context } from "../ports/context.ts";
import type { JobQueue } from "../ports/queue.ts";
import type { Store } from "../ports/store.ts";
import { type DocumentFile, nothingFound } from "./documents.ts";
import { type IndexJob, indexJobKind, type JobInput, jobKind, type JobShard } from "./job-schema.ts";
import type { Changes } from "./plan.ts";
import type { Prepared } from "./prepare.ts";
import type { PreviousIndex } from "./previous.ts";
import { probeMediaType } from "./probe.ts";
import type { IndexSubmission } from "./report.ts";
import type { SkippedDocument } from "./schema.ts";
import { packShard, planShards, type ShardFile, shardMediaType } from "./shard.ts";
import { findWorker, withStateQueue } from "./state-queue.ts";
import { readContent } from "./stream.ts";

export interface Submission {
  readonly job: string;
  readonly shards: number;
}

interface Detaching {
  readonly store: Store;
  readonly queue: JobQueue;
  readonly job: Omit<IndexJob, "version" | "shards">;
  /** The vectors of the probe texts. */
  readonly probe: Uint8Array;
  readonly files: readonly DocumentFile[];
  readonly signal: AbortSignal;
  readonly onProgress: (files: number) => void;
}

interface DetachedRun {
  readonly environment: string;
  readonly isStrict: boolean;
  readonly probe: Uint8Array;
  /** The index to build on. */
  readonly base: PreviousIndex | undefined;
  readonly changes: Changes<DocumentFile>;
}

/** Submits what is prepared as a job on the environment's queue. Fails with SOURCE_INVALID when there is no document at all. */
export async function detachIndex(context: Context, { store, facts, listing, requested }: Prepared, { environment, isStrict, probe, base, changes }: DetachedRun): Promise<IndexSubmission> {
  const { app, name, settings } = requested;
  const { kept, keptSkips, toRead } = changes;
  if (kept.length === 0 && toRead.length === 0) throw nothingFound(settings, [...listing.skipped, ...keptSkips], listing.ignored);
  const taken = new Set(kept.map(({ path }) => path));
  const left = base?.ledger.documents.flatMap(({ path }) => (taken.has(path) ? [] : [path])) ?? [];
  const job = { app, environment, name, settings, embedder: facts.embedder, chunker: facts.chunker, base: base?.descriptor ?? null, left, keptSkips: [...keptSkips], skipped: [...listing.skipped], strict: isStrict };
  const progress = context.story.progress("Storing documents for the workers");
  try {
    return await withStateQueue(context, environment, async ({ queue }) => {
      const submitted = await submitIndex({ store, queue, job, probe, files: toRead, signal: context.signal, onProgress: (done) => progress.update(done, toRead.length) });
      return { kind: "submitted", ...submitted, name, documents: toRead.length, queue: queue.url, worker: await findWorker(context) };
    });
  } finally {
    progress.stop();
  }
}

/** Shards that are read and stored at the same time; all of them are in memory. */
const shardsAtOnce = 3;
/** Of one shard: files and connections are not to be had without end. */
const readsAtOnce = 16;

/**
 * Puts the files into the store, where every worker finds them, and the job onto the queue. The same documents and settings make the
 * same job: one that waits or runs is found again, one that is over is submitted anew.
 */
export async function submitIndex({ store, queue, job, probe, files, signal, onProgress }: Detaching): Promise<Submission> {
  const unread: SkippedDocument[] = [];
  let done = 0;
  const pack = async (group: readonly DocumentFile[]): Promise<{ readonly files: Descriptor; readonly documents: number }> => {
    signal.throwIfAborted();
    const found: ShardFile[] = [];
    for await (const { file, content } of mapAhead(group, readsAtOnce, async (each) => ({ file: each, content: await readContent(each.source, signal) }))) {
      const { path, loader, loaderName, source: { metadata } } = file;
      if (content instanceof Uint8Array) found.push({ path, loader: loaderName, ...(metadata === undefined ? {} : { metadata }), bytes: content });
      else unread.push({ path, reason: content.reason, digest: null, loader });
    }
    const stored = await store.blobs.write(packShard(found), shardMediaType);
    onProgress((done += group.length));
    return { files: stored, documents: found.length };
  };
  const shards: JobShard[] = [];
  // Sources list in no fixed order, and equal jobs have equal names.
  const sorted = files.toSorted((left, right) => (left.path < right.path ? -1 : 1));
  for await (const shard of mapAhead(planShards(sorted), shardsAtOnce, pack)) shards.push({ number: shards.length + 1, ...shard });

  const document: IndexJob = {
    ...job,
    version: 1,
    left: job.left.toSorted(),
    skipped: [...job.skipped, ...unread].sort((left, right) => (left.path < right.path ? -1 : 1)),
    shards: shards.map((shard) => shard.files),
  };
  const input = { job: await writeDocument(store, indexJobKind, document), probe: await store.blobs.write(probe, probeMediaType) };
  signal.throwIfAborted();
  return { job: await submit(queue, document, input, shards), shards: shards.length };
}

/** The queue keeps what is there: of two that submit the same job at once, both get the one job. */
async function submit(queue: JobQueue, job: IndexJob, input: Omit<JobInput, "id">, shards: readonly JobShard[]): Promise<string> {
  const name = `${indexQueue}-${job.name}-${shortDigest(input.job.digest)}`;
  for (let attempt = 1; ; attempt++) {
    const id = attempt === 1 ? name : `${name}-${attempt}`;
    const status = await queue.status(id);
    if (status === undefined) await queue.submit({ id, kind: jobKind(job), input: { id, ...input }, shards: shards.map((shard) => ({ ...shard })) });
    if (status === undefined || status.state === "queued" || status.state === "running") return id;
  }
}
