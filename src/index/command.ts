import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";
import { startedNow } from "../core/ahead.ts";
import { counted } from "../core/counted.ts";
import { TwelveError } from "../core/errors.ts";
import { defineCommand } from "../ports/command.ts";
import type { Progress, Story } from "../ports/story.ts";
import { publishIndex } from "./apply.ts";
import { openBudget } from "./budget.ts";
import { refuseSkips } from "./check.ts";
import { detachIndex } from "./detach.ts";
import { nothingFound } from "./documents.ts";
import type { TextEmbedder } from "./embed.ts";
import { openEmbeddings } from "./embeddings.ts";
import { estimatePrepared } from "./estimate.ts";
import { makeIndex } from "./make.ts";
import { countTexts, planChanges } from "./plan.ts";
import { isUnchanged, prepareIndex, priceOf } from "./prepare.ts";
import { openBase } from "./previous.ts";
import { embedProbe } from "./probe.ts";
import { IndexEstimate, IndexReport, IndexSubmission, renderIndex } from "./report.ts";
import type { Ledger } from "./schema.ts";
import { withStateQueue } from "./state-queue.ts";
import { cutDocuments } from "./stream.ts";
import { openPacedEmbedder } from "./text-embedder.ts";

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
    rebuild: z.boolean().default(false).meta({ description: "Make it anew, whatever the index before and the engine files of the same index say; stored vectors are used" }),
    strict: z.boolean().default(false).meta({ description: "Publish nothing when a file of the sources cannot be read" }),
    detach: z.boolean().default(false).meta({ description: "Put the work on the queue of STATE_URL for `twelve run <worker>` on any machine, and do not wait" }),
  }),
  output: z.union([IndexReport, IndexEstimate, IndexSubmission]),
  examples: ["twelve index", "twelve index --source docs/", "twelve index docs --env production", "twelve index --estimate", "twelve index --max-cost 2.50 --strict", "twelve index --detach"],

  async run(input, context) {
    refuseContradiction(input);
    const { dir, clock, signal, story } = context;
    const lap = stopwatch(() => clock.monotonicMs());
    // Also where nothing turns out to have changed: a queue that cannot be used is no less wrong then.
    if (input.detach) await withStateQueue(context, input.env, () => Promise.resolve());
    const prepared = await prepareIndex(context, input);
    const { store, embedder, engine, facts, listing, previous, cutters, requested: { name, settings, isOtherSource } } = prepared;
    try {
      const list = lap();
      const report = (ledger: Ledger, work: Pick<IndexReport, "digest" | "embedded" | "requests" | "costUsd" | "isChanged">, make: number): IndexReport => ({
        kind: "report", name, ...work, documents: ledger.documents.length, chunks: ledger.documents.reduce((sum, { chunks }) => sum + chunks.length, 0), fromCache: countTexts(ledger.documents) - work.embedded,
        embedder: settings.embedder, skipped: [...ledger.skipped], ignored: listing.ignored, durationMs: { list, make, total: lap.total() },
      });
      if (input.estimate) return await estimatePrepared(context, prepared, () => lap.total());
      if (previous.usable !== undefined && isUnchanged(prepared) && !input.rebuild) {
        const { ledger, descriptor } = previous.usable;
        if (input.strict) refuseSkips(ledger.skipped);
        prepared.remember(ledger);
        return report(ledger, { digest: descriptor.digest, embedded: 0, requests: 0, costUsd: 0, isChanged: false }, 0);
      }

      // Documents are read while the embedder is asked; what is read counts if the index before can be built on, and nearly always it can.
      const early = input.detach || input.rebuild ? undefined : startedNow(cutDocuments(prepared.changes.toRead, cutters, signal));
      // The readers get their work before the embedder's client is loaded.
      await nextTurn();
      const probe = await embedProbe(embedder, context);
      const base = previous.usable === undefined || prepared.changes.kept.length === 0 || input.rebuild ? undefined : await openBase(store, previous.usable, { dir, engine, story, probe });
      const changes = base === undefined ? planChanges(undefined, listing.files, new Map()) : prepared.changes;
      if (input.detach) return await detachIndex(context, prepared, { environment: input.env, isStrict: input.strict, probe, base: base && previous.usable, changes });

      const budget = openBudget({ usdPerMillionTokens: priceOf(prepared), maxUsd: input.maxCost, embedder: settings.embedder });
      const embeddings = await openEmbeddings(store, embedder.identity, probe);
      const texts = openPacedEmbedder(context, settings, { embedder, embeddings, budget });
      const check = (ledger: Ledger): void => {
        if (ledger.documents.length === 0) throw nothingFound(settings, ledger.skipped, listing.ignored);
        if (input.strict) refuseSkips(ledger.skipped);
      };
      const progress = openIndexProgress(story, changes.toRead.length, texts);
      try {
        const isEarly = early !== undefined && changes.toRead.length === prepared.changes.toRead.length;
        const results = isEarly ? early : cutDocuments(changes.toRead, cutters, signal);
        const onRead = (): void => {
          progress.onRead();
          // The engine now builds its indexes, which takes memory: the threads and their parsers give theirs back.
          void cutters.close();
        };
        const made = await makeIndex(context, { store, engine, embedder, facts, probe, changes, base, skipped: listing.skipped, results, texts, check, isRebuilt: input.rebuild, ...progress, onRead });
        if (embeddings.damaged > 0) story.warn(`${embeddings.damaged} stored ${embeddings.damaged === 1 ? "batch of embeddings is" : "batches of embeddings are"} missing or damaged; their texts are embedded again. \`twelve verify\` names the blobs.`);
        await publishIndex(store, made.index, made.descriptor);
        prepared.remember(made.ledger);
        if (isOtherSource) story.note(`Made from ${input.source.join(", ")} instead of the manifest's sources; the next release takes it as the latest index "${name}"`);
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

function refuseContradiction({ estimate, detach, rebuild, maxCost }: { readonly estimate: boolean; readonly detach: boolean; readonly rebuild: boolean; readonly maxCost?: number | undefined }): void {
  if (detach && maxCost !== undefined) throw new TwelveError("USAGE_INVALID", "--max-cost cannot hold workers on other machines back", { fix: "See what the run would cost with `--estimate`, then use `--detach` alone" });
  if (detach && rebuild) throw new TwelveError("USAGE_INVALID", "--rebuild is for a run in this process", { fix: "Use it without --detach" });
  const other = detach ? "--detach" : rebuild ? "--rebuild" : maxCost === undefined ? undefined : "--max-cost";
  if (estimate && other !== undefined) throw new TwelveError("USAGE_INVALID", `--estimate writes and spends nothing, so ${other} means nothing beside it`, { fix: "Use one of them" });
}

/** First documents, then the engine's work, which has no count. */
function openIndexProgress(story: Story, total: number, texts: Pick<TextEmbedder, "embedded" | "requests">): { onProgress(documents: number): void; onRead(): void; stop(): void } {
  const reading = story.progress("Indexing documents");
  let writing: Progress | undefined;
  return {
    onProgress: (documents) => reading.update(documents, total),
    onRead() {
      reading.done(`${counted(total, "document")} read, ${counted(texts.embedded, "text")} embedded in ${counted(texts.requests, "request")}`);
      writing = story.progress("Writing the index");
    },
    stop() {
      reading.stop();
      writing?.stop();
    },
  };
}

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
