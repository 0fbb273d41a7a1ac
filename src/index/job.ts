import { readDocument, writeDocument } from "../artifact/document.ts";
import type { Json } from "../core/canonical-json.ts";
import type { Descriptor } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { Context } from "../ports/context.ts";
import type { JobHandler } from "../ports/queue.ts";
import type { Store } from "../ports/store.ts";
import { publishIndex } from "./apply.ts";
import { costOf } from "./budget.ts";
import { problemsOf, refuseSkips } from "./check.ts";
import type { CutResult } from "./cut.ts";
import { JobInput, type JobResult, JobShard, ShardOutcome, shardResultKind } from "./job-schema.ts";
import { makeIndex } from "./make.ts";
import { openJob, type OpenJob } from "./open-job.ts";
import { openJobs } from "./open-jobs.ts";
import { type IndexFacts, planChanges, planTexts } from "./plan.ts";
import { openBase, type PreviousIndex } from "./previous.ts";
import { indexKind, type Ledger, ledgerKind } from "./schema.ts";
import { unpackShard } from "./shard.ts";
import { cutContents } from "./stream.ts";

export interface IndexJobHandler extends JobHandler {
  close(): Promise<void>;
}

/**
 * The work of an index job on one machine. Shards and the last step do what `twelve index` does in one process, with the same
 * functions, so any number of workers gives the same digest. Both may be repeated: what was embedded is in the store.
 */
export function indexJobHandler(context: Context, secrets: Readonly<Record<string, string>>): IndexJobHandler {
  const jobs = openJobs();
  const use = <Result>(given: Json, signal: AbortSignal, work: (job: OpenJob) => Promise<Result>): Promise<Result> => {
    const input = JobInput.parse(given);
    return jobs.use({ id: input.id, signal, open: (jobSignal) => openJob({ ...context, signal: jobSignal }, input, secrets) }, work);
  };
  return {
    shard: (input, shard, { signal }) => use(input, signal, async (job) => ({ ...(await doShard(job, JobShard.parse(shard), signal)) })),
    join: (input, outcomes, { signal }) => use(input, signal, async (job) => ({ ...(await joinShards({ ...context, signal }, job, outcomes.map((outcome) => ShardOutcome.parse(outcome)))) })),
    close: () => jobs.close(),
  };
}

async function doShard({ store, cutters, embeddings, texts }: OpenJob, shard: JobShard, signal: AbortSignal): Promise<ShardOutcome> {
  const files = unpackShard(await store.blobs.read(shard.files));
  const results: CutResult[] = [];
  for await (const result of cutContents(files, cutters, signal)) results.push(result);
  signal.throwIfAborted();
  // Other workers have been at it since the last look, or a lost one had begun with this very shard.
  await embeddings.refresh();
  let embedded = 0;
  let tokens = 0;
  await texts.vectorsOf(planTexts(results.flatMap((result) => (result.kind === "document" ? result.document.chunks : []))), (batch) => {
    embedded += batch.texts.length;
    tokens += batch.tokens;
  });
  await texts.stored();
  return { result: await writeDocument(store, shardResultKind, { version: 1, results: [...results] as never }), embedded, tokens };
}

async function joinShards(context: Context, { job, store, embedder, probe, embeddings, texts, cutters, usdPerMillionTokens }: OpenJob, outcomes: readonly ShardOutcome[]): Promise<JobResult> {
  const { signal } = context;
  // All documents are cut: their readers' memory is the engine's now.
  await cutters.close();
  const engine = await context.openVectors("lance:");
  const facts: IndexFacts = { app: job.app, name: job.name, embedder: job.embedder, chunker: job.chunker };
  const previous = job.base === null ? undefined : await readPrevious(store, job.base);
  const base = previous === undefined ? undefined : await openBase(store, previous, { ...context, engine, probe });
  if (previous !== undefined && base === undefined) throw new TwelveError("INDEX_NOT_FOUND", "The index that this job builds on cannot be built on any more: its files are damaged, or the engine has another version here", { fix: "Run `twelve index --detach` again" });
  const left = new Set(job.left);
  const kept = (previous?.ledger.documents ?? []).filter(({ path }) => !left.has(path));
  const { dropped } = planChanges(previous?.ledger, kept, new Map(kept.map(({ path, digest }) => [path, digest])));
  await embeddings.refresh();

  async function* results(): AsyncGenerator<CutResult> {
    for (const { result } of outcomes) {
      signal.throwIfAborted();
      yield* (await readDocument(store, shardResultKind, result)).results as readonly CutResult[];
    }
  }
  const check = (ledger: Ledger): void => {
    if (ledger.documents.length === 0) throw new TwelveError("SOURCE_INVALID", "None of the files could be read", { problems: problemsOf(ledger.skipped) });
    if (job.strict) refuseSkips(ledger.skipped);
  };
  const made = await makeIndex(context, { store, engine, embedder, facts, probe, changes: { kept, keptSkips: job.keptSkips, dropped }, base, skipped: job.skipped, results: results(), texts, check, isRebuilt: false, onProgress: () => {}, onRead: () => {} });
  signal.throwIfAborted();
  await publishIndex(store, made.index, made.descriptor);
  const tokens = outcomes.reduce((sum, outcome) => sum + outcome.tokens, 0);
  const embedded = outcomes.reduce((sum, outcome) => sum + outcome.embedded, 0);
  return { digest: made.descriptor.digest, documents: made.index.documents, chunks: made.index.chunks, embedded, costUsd: costOf(tokens, usdPerMillionTokens), skipped: made.ledger.skipped.length };
}

async function readPrevious(store: Store, descriptor: Descriptor): Promise<PreviousIndex> {
  const index = await readDocument(store, indexKind, descriptor);
  return { descriptor, index, ledger: await readDocument(store, ledgerKind, index.ledger) };
}
