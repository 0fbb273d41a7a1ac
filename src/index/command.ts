import { z } from "zod";
import { TwelveError } from "../core/errors.ts";
import { defineCommand } from "../ports/command.ts";
import { publishIndex } from "./apply.ts";
import { openBudget } from "./budget.ts";
import { refuseSkips } from "./check.ts";
import { submitIndex } from "./detach.ts";
import { nothingFound } from "./documents.ts";
import { openEmbeddings } from "./embeddings.ts";
import { estimateIndex } from "./estimate.ts";
import { makeIndex } from "./make.ts";
import { countTexts, planChanges } from "./plan.ts";
import { isUnchanged, prepareIndex } from "./prepare.ts";
import { openBase } from "./previous.ts";
import { IndexEstimate, IndexReport, IndexSubmission, renderIndex } from "./report.ts";
import type { Ledger } from "./schema.ts";
import { openStateQueue } from "./state-queue.ts";
import { cutDocuments } from "./stream.ts";
import { askForProbe, openPacedEmbedder } from "./text-embedder.ts";

export default defineCommand({
  description:
    "Reads the documents of an index, cuts them into chunks along their structure, embeds what was not embedded before, and stores vectors and full-text index " +
    "under one digest. Equal documents and settings give an equal digest. A run that was killed goes on where it stopped.",
  input: z.strictObject({
    name: z.string().optional().meta({ description: "Index of the manifest; the only one by default", positional: true }),
    source: z.array(z.string()).default([]).meta({ description: "Folder, file, feed or s3:// prefix of documents instead of the manifest's; may be given more than once", valueName: "source" }),
    env: z.string().default("development").meta({ description: "Environment whose configuration gives the embedder", valueName: "name" }),
    set: z.array(z.string()).default([]).meta({ description: "Configuration value, stronger than every other source", valueName: "KEY=VALUE" }),
    estimate: z.boolean().default(false).meta({ description: "Say what embedding would take and cost; embed and write nothing" }),
    maxCost: z.number().min(0).optional().meta({ description: "Stop before embedding costs more than this; what was embedded is kept", valueName: "usd" }),
    strict: z.boolean().default(false).meta({ description: "Publish nothing when a file of the sources cannot be read" }),
    detach: z.boolean().default(false).meta({ description: "Put the work on the queue of STATE_URL for `twelve run <worker>` on any machine, and do not wait" }),
  }),
  output: z.union([IndexReport, IndexEstimate, IndexSubmission]),
  examples: ["twelve index", "twelve index --source docs/", "twelve index docs --env production", "twelve index --estimate", "twelve index --max-cost 2.50 --strict", "twelve index --detach"],

  async run(input, context) {
    if (input.detach && input.maxCost !== undefined) throw new TwelveError("USAGE_INVALID", "--max-cost cannot hold workers on other machines back", { fix: "See what the run would cost with `--estimate`, then use `--detach` alone" });
    const { dir, clock, signal, story } = context;
    const lap = stopwatch(() => clock.monotonicMs());
    const prepared = await prepareIndex(context, input);
    const { store, embedder, engine, facts, listing, previous, cutters, requested: { app, name, settings } } = prepared;
    try {
      const list = lap();
      const report = (ledger: Ledger, work: Pick<IndexReport, "digest" | "embedded" | "requests" | "costUsd" | "isChanged">, make: number): IndexReport => ({
        kind: "report", name, ...work, documents: ledger.documents.length, chunks: ledger.documents.reduce((sum, { chunks }) => sum + chunks.length, 0), fromCache: countTexts(ledger.documents) - work.embedded,
        embedder: settings.embedder, skipped: [...ledger.skipped], ignored: listing.ignored, durationMs: { list, make, total: lap.total() },
      });
      if (previous.usable !== undefined && isUnchanged(prepared) && !input.estimate) {
        const { ledger, descriptor } = previous.usable;
        if (input.strict) refuseSkips(ledger.skipped);
        return report(ledger, { digest: descriptor.digest, embedded: 0, requests: 0, costUsd: 0, isChanged: false }, 0);
      }

      // An estimate asks nobody for anything, and takes the index before as what it says it is.
      const probe = input.estimate ? undefined : await askForProbe(context, embedder);
      const base = previous.usable === undefined || prepared.changes.kept.length === 0 || probe === undefined ? undefined : await openBase(store, previous.usable, { dir, engine, story, probe });
      const changes = base === undefined && probe !== undefined ? planChanges(undefined, listing.files, new Map()) : prepared.changes;
      const progress = story.progress(input.estimate ? "Counting tokens" : input.detach ? "Storing documents for the workers" : "Indexing documents");
      const onProgress = (done: number): void => progress.update(done, changes.toRead.length);
      try {
        if (input.detach) {
          const queue = await openStateQueue(context, input.env);
          const usable = base === undefined ? undefined : previous.usable;
          const kept = new Set(changes.kept.map(({ path }) => path));
          const left = usable?.ledger.documents.flatMap(({ path }) => (kept.has(path) ? [] : [path])) ?? [];
          const job = { app, name, settings, embedder: facts.embedder, chunker: facts.chunker, base: usable?.descriptor ?? null, left, keptSkips: [...changes.keptSkips], skipped: listing.skipped, strict: input.strict };
          const submitted = await submitIndex({ store, queue, job, files: changes.toRead, signal, onProgress }).finally(() => queue.close());
          return { kind: "submitted" as const, ...submitted, name, documents: changes.toRead.length, queue: queue.url };
        }
        const price = settings.embedding?.usdPerMillionTokens ?? embedder.usdPerMillionTokens;
        const embeddings = await openEmbeddings(store, embedder.identity, probe);
        const results = cutDocuments(changes.toRead, cutters, signal);
        if (probe === undefined) return await estimateIndex(results, { name, kept: changes.kept, embeddings, embedder, price, reference: settings.embedder, onProgress, durationMs: () => lap.total() });
        const budget = openBudget({ usdPerMillionTokens: price, maxUsd: input.maxCost, embedder: settings.embedder });
        const texts = openPacedEmbedder(context, settings, { embedder, embeddings, budget });
        const check = (ledger: Ledger): void => {
          if (ledger.documents.length === 0) throw nothingFound(settings, ledger.skipped, listing.ignored);
          if (input.strict) refuseSkips(ledger.skipped);
        };
        const made = await makeIndex(context, { store, engine, embedder, facts, probe, changes, base, skipped: listing.skipped, results, texts, check, onProgress });
        if (embeddings.damaged > 0) story.warn(`${embeddings.damaged} stored ${embeddings.damaged === 1 ? "batch of embeddings is" : "batches of embeddings are"} missing or damaged; their texts are embedded again. \`twelve verify\` names the blobs.`);
        await publishIndex(store, made.index, made.descriptor);
        progress.done(`${changes.toRead.length.toLocaleString("en-US")} documents read, ${texts.embedded.toLocaleString("en-US")} texts embedded in ${texts.requests.toLocaleString("en-US")} requests`);
        return report(made.ledger, { digest: made.descriptor.digest, embedded: texts.embedded, requests: texts.requests, costUsd: budget.usd, isChanged: previous.latest?.digest !== made.descriptor.digest }, lap());
      } finally {
        progress.stop();
      }
    } finally {
      await cutters.close();
    }
  },

  render: renderIndex,
});

/** Each call gives the whole milliseconds since the one before. */
function stopwatch(now: () => number): (() => number) & { total: () => number } {
  const startMs = now();
  let lastMs = startMs;
  const lap = (): number => {
    const spentMs = now() - lastMs;
    lastMs += spentMs;
    return Math.round(spentMs);
  };
  return Object.assign(lap, { total: () => Math.round(now() - startMs) });
}
