import { readDocument, writeDocument } from "../artifact/document.ts";
import { canonicalJson, type Json } from "../core/canonical-json.ts";
import { Descriptor } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { Context } from "../ports/context.ts";
import type { JobHandler } from "../ports/queue.ts";
import { publishIndex } from "./apply.ts";
import { openBudget } from "./budget.ts";
import { refuseSkips } from "./check.ts";
import type { CutResult } from "./cut.ts";
import { openCutters } from "./cutters.ts";
import type { TextEmbedder } from "./embed.ts";
import { openEmbeddings } from "./embeddings.ts";
import { type IndexJob, indexJobKind, type JobResult, shardResultKind } from "./job-schema.ts";
import { makeIndex } from "./make.ts";
import { type IndexFacts, planChanges, planTexts } from "./plan.ts";
import { openBase } from "./previous.ts";
import { describeEmbedder } from "./probe.ts";
import { indexKind, type Ledger, ledgerKind } from "./schema.ts";
import { unpackShard } from "./shard.ts";
import { askForProbe, openPacedEmbedder } from "./text-embedder.ts";

/**
 * The work of an index job on one machine. Shards and the last step do what `twelve index` does in one process, with the same
 * functions, so any number of workers gives the same digest. Both may be repeated: what was embedded is in the store.
 */
export function indexJobHandler(context: Context, secrets: Readonly<Record<string, string>>): JobHandler {
  return {
    async shard(input, shard, { signal }) {
      const here = { ...context, signal };
      const { job, texts, store } = await open(here, input, secrets);
      const files = unpackShard(await store.blobs.read(Descriptor.parse(shard)));
      const cutters = openCutters(job.chunker, { files: files.length });
      try {
        const results = await cutters.cut(files);
        signal.throwIfAborted();
        await texts.vectorsOf(planTexts(results.flatMap((result) => (result.kind === "document" ? result.document.chunks : []))));
        return { ...(await writeDocument(store, shardResultKind, { version: 1, results: [...results] as never })) };
      } finally {
        await cutters.close();
      }
    },

    async join(input, shardResults, { signal }) {
      const here = { ...context, signal };
      const { job, texts, store, embedder, probe } = await open(here, input, secrets);
      const engine = await here.openVectors("lance:");
      const facts: IndexFacts = { app: job.app, name: job.name, embedder: job.embedder, chunker: job.chunker };
      const previous = job.base === null ? undefined : await readBase(here, job.base);
      const base = previous === undefined ? undefined : await openBase(store, previous, { ...here, engine, probe });
      if (previous !== undefined && base === undefined) throw new TwelveError("INDEX_NOT_FOUND", `The index that this job builds on cannot be built on any more: its files are damaged, or the embedder changed`, { fix: "Run `twelve index` again" });
      const left = new Set(job.left);
      const kept = (previous?.ledger.documents ?? []).filter(({ path }) => !left.has(path));
      const { dropped } = planChanges(previous?.ledger, kept, new Map(kept.map(({ path, digest }) => [path, digest])));

      async function* results(): AsyncGenerator<CutResult> {
        for (const result of shardResults) {
          signal.throwIfAborted();
          yield* (await readDocument(store, shardResultKind, Descriptor.parse(result))).results as readonly CutResult[];
        }
      }
      const check = (ledger: Ledger): void => {
        if (ledger.documents.length === 0) throw new TwelveError("SOURCE_INVALID", "None of the files could be read", { problems: ledger.skipped.map(({ path, reason }) => ({ file: path, message: reason })) });
        if (job.strict) refuseSkips(ledger.skipped);
      };
      const made = await makeIndex(here, { store, engine, embedder, facts, probe, changes: { kept, keptSkips: job.keptSkips, dropped }, base, skipped: job.skipped, results: results(), texts, check, onProgress: () => {} });
      await publishIndex(store, made.index, made.descriptor);
      return { digest: made.descriptor.digest, documents: made.index.documents, chunks: made.index.chunks, skipped: made.ledger.skipped.length } satisfies JobResult;
    },
  };
}

interface Opened {
  readonly job: IndexJob;
  readonly store: Awaited<ReturnType<Context["store"]>>;
  readonly embedder: Awaited<ReturnType<Context["openEmbedder"]>>;
  readonly texts: TextEmbedder;
  readonly probe: Uint8Array;
}

async function open(context: Context, input: Json, secrets: Readonly<Record<string, string>>): Promise<Opened> {
  const store = await context.store();
  const job = await readDocument(store, indexJobKind, Descriptor.parse(input));
  const embedder = await context.openEmbedder(job.settings.embedder, secrets);
  if (canonicalJson(embedder.identity) !== canonicalJson(job.embedder)) {
    throw new TwelveError("EMBEDDER_DRIFTED", `The job wants ${describeEmbedder(job.embedder)}, but ${job.settings.embedder} is ${describeEmbedder(embedder.identity)} here`);
  }
  const price = job.settings.embedding?.usdPerMillionTokens ?? embedder.usdPerMillionTokens;
  const budget = openBudget({ usdPerMillionTokens: price, maxUsd: undefined, embedder: job.settings.embedder });
  const probe = await askForProbe(context, embedder);
  return { job, store, embedder, probe, texts: openPacedEmbedder(context, job.settings, { embedder, embeddings: await openEmbeddings(store, embedder.identity, probe), budget }) };
}

async function readBase(context: Context, descriptor: Descriptor): Promise<Parameters<typeof openBase>[1]> {
  const store = await context.store();
  const index = await readDocument(store, indexKind, descriptor);
  return { descriptor, index, ledger: await readDocument(store, ledgerKind, index.ledger) };
}
