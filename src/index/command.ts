import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { TwelveError } from "../core/errors.ts";
import type { Context } from "../ports/context.ts";
import { defineCommand } from "../ports/command.ts";
import type { Embedder } from "../ports/embedding.ts";
import { publishIndex } from "./apply.ts";
import { openBudget } from "./budget.ts";
import { openCutters } from "./cutters.ts";
import { type DocumentFile, listDocuments, nothingFound } from "./documents.ts";
import { openTextEmbedder } from "./embed.ts";
import { openEmbeddings } from "./embeddings.ts";
import { estimateIndex } from "./estimate.ts";
import { makeIndex } from "./make.ts";
import { openPace } from "./pace.ts";
import { type Changes, chunkerIdentity, countTexts, type IndexFacts, planChanges } from "./plan.ts";
import { findPrevious, openBase, type PreviousIndex } from "./previous.ts";
import { IndexEstimate, IndexReport, renderEstimate, renderReport } from "./report.ts";
import type { Ledger, SkippedDocument } from "./schema.ts";
import { readSettings } from "./settings.ts";
import { cutDocuments, digestsOf } from "./stream.ts";

const defaultRequestsAtOnce = 8;

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
  }),
  output: z.union([IndexReport, IndexEstimate]),
  examples: ["twelve index", "twelve index --source docs/", "twelve index docs --env production", "twelve index --estimate", "twelve index --max-cost 2.50 --strict"],

  async run(input, context) {
    const { dir, clock, signal, story } = context;
    const lap = stopwatch(() => clock.monotonicMs());
    const { app, name, settings, secrets } = await readSettings(context, input);
    const [store, embedder, engine, { files, skipped, ignored }] = await Promise.all([
      context.store(), context.openEmbedder(settings.embedder, secrets), context.openVectors("lance:"), listDocuments(context, settings),
    ]);
    const facts: IndexFacts = { app, name, embedder: embedder.identity, chunker: chunkerIdentity(settings.chunk) };
    warnOfLongChunks(context, embedder, facts, settings.embedder);
    const previous = await findPrevious(store, facts, { engine, story });
    const cutters = openCutters(facts.chunker, { files: files.length });
    try {
      let changes = await findChanges(previous.usable, files, { cutters, signal });
      const list = lap();
      const report = (ledger: Ledger, work: Pick<IndexReport, "digest" | "embedded" | "requests" | "costUsd" | "isChanged">, durations: Partial<IndexReport["durationMs"]>): IndexReport => ({
        kind: "report", name, ...work, documents: ledger.documents.length, chunks: ledger.documents.reduce((sum, { chunks }) => sum + chunks.length, 0), fromCache: countTexts(ledger.documents) - work.embedded,
        embedder: settings.embedder, skipped: [...ledger.skipped], ignored, durationMs: { list, make: 0, ...durations, total: lap.total() },
      });
      const refuse = refusal(input.strict);
      if (previous.usable !== undefined && isUnchanged(previous.usable.ledger, changes, skipped)) {
        refuse(previous.usable.ledger);
        const nothing = { embedded: 0, requests: 0, costUsd: 0 };
        if (!input.estimate) return report(previous.usable.ledger, { digest: previous.usable.descriptor.digest, ...nothing, isChanged: false }, {});
      }

      const base = previous.usable === undefined || changes.kept.length === 0 ? undefined : await openBase(store, previous.usable, { dir, engine });
      if (base === undefined) changes = planChanges(undefined, files, new Map());
      const price = settings.embedding?.usdPerMillionTokens ?? embedder.usdPerMillionTokens;
      const embeddings = await openEmbeddings(store, embedder.identity);
      const progress = story.progress(input.estimate ? "Counting tokens" : "Indexing documents");
      const onProgress = (done: number): void => progress.update(done, changes.toRead.length);
      const results = cutDocuments(changes.toRead, cutters, signal);
      try {
        if (input.estimate) return await estimateIndex(results, { name, kept: changes.kept, embeddings, embedder, price, reference: settings.embedder, onProgress, durationMs: () => lap.total() });
        const budget = openBudget({ usdPerMillionTokens: price, maxUsd: input.maxCost, embedder: settings.embedder });
        const wait = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
        const pace = openPace({ ...settings.embedding, requestsAtOnce: settings.embedding?.requestsAtOnce ?? defaultRequestsAtOnce }, { nowMs: () => clock.monotonicMs(), sleep: wait });
        const onRetry = (failure: TwelveError, waitMs: number): void => story.note(`${failure.message}; asking again in ${(waitMs / 1000).toFixed(1)} s`);
        const texts = openTextEmbedder({ embedder, embeddings, pace, budget, signal, retry: { random: Math.random, onRetry } });
        const check = (ledger: Ledger): void => {
          if (ledger.documents.length === 0) throw nothingFound(settings, ledger.skipped, ignored);
          refuse(ledger);
        };
        const made = await makeIndex(context, { store, engine, embedder, facts, changes, base, skipped, results, texts, check, onProgress });
        if (embeddings.damaged > 0) story.warn(`${embeddings.damaged} stored ${embeddings.damaged === 1 ? "batch of embeddings is" : "batches of embeddings are"} missing or damaged; their texts are embedded again. \`twelve verify\` names the blobs.`);
        await publishIndex(store, made.index, made.descriptor);
        progress.done(`${changes.toRead.length.toLocaleString("en-US")} documents read, ${texts.embedded.toLocaleString("en-US")} texts embedded in ${texts.requests.toLocaleString("en-US")} requests`);
        return report(made.ledger, { digest: made.descriptor.digest, embedded: texts.embedded, requests: texts.requests, costUsd: budget.usd, isChanged: previous.latest?.digest !== made.descriptor.digest }, { make: lap() });
      } finally {
        progress.stop();
      }
    } finally {
      await cutters.close();
    }
  },

  render: (output, input) => (output.kind === "estimate" ? renderEstimate(output) : renderReport(output, input)),
});

async function findChanges(previous: PreviousIndex | undefined, files: readonly DocumentFile[], { cutters, signal }: { readonly cutters: ReturnType<typeof openCutters>; readonly signal: AbortSignal }): Promise<Changes<DocumentFile>> {
  if (previous === undefined) return planChanges(undefined, files, new Map());
  const { documents, skipped } = previous.ledger;
  const known = new Set([...documents, ...skipped].map(({ path }) => path));
  return planChanges(previous.ledger, files, await digestsOf(files.filter(({ path }) => known.has(path)), cutters, signal));
}

/** Nothing to read, nothing to leave out, and the sources skip what they skipped before. */
function isUnchanged(ledger: Ledger, { toRead, dropped, keptSkips }: Changes<DocumentFile>, skipped: readonly SkippedDocument[]): boolean {
  const now = new Map([...skipped, ...keptSkips].map((skip) => [skip.path, skip.reason]));
  return toRead.length === 0 && dropped.size === 0 && now.size === ledger.skipped.length && ledger.skipped.every(({ path, reason }) => now.get(path) === reason);
}

function refusal(isStrict: boolean): (ledger: Ledger) => void {
  return ({ skipped }) => {
    if (!isStrict || skipped.length === 0) return;
    throw new TwelveError("DOCUMENT_UNREADABLE", `${skipped.length === 1 ? "A file" : `${skipped.length} files`} of the sources cannot be indexed, and --strict was given`, {
      problems: skipped.map(({ path, reason }) => ({ file: path, message: reason })),
    });
  };
}

function warnOfLongChunks({ story }: Context, { maxTextTokens }: Embedder, { chunker }: IndexFacts, reference: string): void {
  if (maxTextTokens === undefined || chunker.maxTokens <= maxTextTokens) return;
  story.warn(`Chunks may have ${chunker.maxTokens} tokens, but ${reference} reads only the first ${maxTextTokens} of a text. Set \`chunk: { maxTokens: ${maxTextTokens} }\` for the index`);
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
