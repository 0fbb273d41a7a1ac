import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";
import { readDocument, writeDocument } from "../artifact/document.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import { Digest, shortDigest } from "../core/descriptor.ts";
import type { Context } from "../ports/context.ts";
import { defineCommand } from "../ports/command.ts";
import type { Store } from "../ports/store.ts";
import { isGone, isHeld, publishIndex, storeIndexData } from "./apply.ts";
import { type ChunkSizes, chunkDocument } from "./chunk.ts";
import { readDocuments, type SourceDocument } from "./documents.ts";
import { embedTexts } from "./embed.ts";
import { openEmbeddings } from "./embeddings.ts";
import { loadBlocks } from "../document/read.ts";
import { type ChunkedDocument, chunkerIdentity, countTexts, type IndexFacts, isSameDocuments, planIndex, planLedger, planTexts } from "./plan.ts";
import { findIndex, type StoredIndex } from "./read.ts";
import { indexKind, type Ledger, ledgerKind, SkippedDocument } from "./schema.ts";
import { readSettings } from "./settings.ts";

const Output = z.strictObject({
  digest: Digest.meta({ description: "Digest of the Index" }),
  name: z.string(),
  documents: z.int(),
  chunks: z.int(),
  embedded: z.int().meta({ description: "Texts that were sent to the embedder" }),
  fromCache: z.int().meta({ description: "Texts whose vectors the store already had" }),
  isChanged: z.boolean().meta({ description: "Whether this is another index than the latest one before" }),
  embedder: z.string(),
  skipped: z.array(SkippedDocument).meta({ description: "Files that were found but cannot be indexed, with the reason" }),
  ignored: z.record(z.string(), z.int()).meta({ description: "Number of files of each ending that no loader reads" }),
  durationMs: z.strictObject({ read: z.number(), chunk: z.number(), embed: z.number(), write: z.number(), total: z.number() }),
});
type Output = z.infer<typeof Output>;

export default defineCommand({
  description:
    "Reads the documents of an index (Markdown, MDX and plain text), cuts them into chunks along their headings, embeds what was not embedded before, and " +
    "stores vectors and full-text index under one digest. Equal documents and settings give an equal digest. A run that was killed goes on where it stopped.",
  input: z.strictObject({
    name: z.string().optional().meta({ description: "Index of the manifest; the only one by default", positional: true }),
    source: z.array(z.string()).default([]).meta({ description: "Folder of documents instead of the manifest's; may be given more than once", valueName: "folder" }),
    env: z.string().default("development").meta({ description: "Environment whose configuration gives the embedder", valueName: "name" }),
    set: z.array(z.string()).default([]).meta({ description: "Configuration value, stronger than every other source", valueName: "KEY=VALUE" }),
  }),
  output: Output,
  examples: ["twelve index", "twelve index --source docs/", "twelve index docs --env production", "twelve index --set EMBEDDER=hash:1024 --json"],

  async run(input, context) {
    const { dir, clock, signal } = context;
    const lap = stopwatch(() => clock.monotonicMs());
    const { app, name, settings } = await readSettings(context, input);
    const [store, embedder, engine] = await Promise.all([context.store(), context.openEmbedder(settings.embedder), context.openVectors("lance:")]);
    const facts: IndexFacts = { app, name, embedder: embedder.identity, chunker: chunkerIdentity(settings.chunk) };

    const { documents, skipped, ignored } = await readDocuments(dir, settings, signal);
    const read = lap();
    const report = (index: Pick<Output, "digest" | "documents" | "chunks">, work: Pick<Output, "embedded" | "fromCache" | "isChanged">, durations: Partial<Output["durationMs"]>): Output =>
      ({ ...index, name, ...work, embedder: settings.embedder, skipped: [...skipped], ignored, durationMs: { read, chunk: 0, embed: 0, write: 0, ...durations, total: lap.total() } });

    const previous = await findPrevious(store, facts, context);
    const same = previous === undefined ? undefined : await findSameLedger(store, previous, { facts, documents });
    if (previous !== undefined && same !== undefined && (await isHeld(store, previous.descriptor, engine))) {
      const { index, descriptor } = previous;
      return report({ digest: descriptor.digest, documents: index.documents, chunks: index.chunks }, { embedded: 0, fromCache: countTexts(same), isChanged: false }, {});
    }

    const chunked = await cutDocuments(documents, facts.chunker, context);
    const ledger = planLedger(chunked);
    const index = planIndex(facts, ledger, await writeDocument(store, ledgerKind, ledger));
    const descriptor = await writeDocument(store, indexKind, index);
    const chunk = lap();

    let embedded = 0;
    let embed = 0;
    if (!(await isHeld(store, descriptor, engine))) {
      const { vectors, embedded: count } = await embedAll(chunked, { embedder, embeddings: openEmbeddings(store, embedder.identity) }, context);
      embedded = count;
      embed = lap();
      await storeIndexData(store, { dir, index: descriptor, documents: chunked, vectors, embedder, engine, signal, randomHex: (size) => clock.randomHex(size) });
    }
    await publishIndex(store, index, descriptor);
    const fromCache = countTexts(ledger) - embedded;
    return report({ digest: descriptor.digest, documents: index.documents, chunks: index.chunks }, { embedded, fromCache, isChanged: previous?.descriptor.digest !== descriptor.digest }, { chunk, embed, write: lap() });
  },

  render({ digest, name, documents, chunks, embedded, fromCache, isChanged, skipped, ignored, durationMs }, { env, set }) {
    const number = (value: number): string => value.toLocaleString("en-US");
    const others = Object.entries(ignored).map(([ending, count]) => `${number(count)} ${ending === "" ? "without an ending" : ending}`);
    return [
      `Index ${name} ${shortDigest(digest)}${isChanged ? "" : " (unchanged)"}`,
      `  ${number(documents)} documents, ${number(chunks)} chunks; ${number(embedded)} texts embedded, ${number(fromCache)} from the cache; ${(durationMs.total / 1000).toFixed(1)} s`,
      ...(skipped.length === 0 ? [] : [`  Skipped ${number(skipped.length)}:`]),
      ...skipped.slice(0, 20).map(({ path, reason }) => `    ${path} ${reason}`),
      ...(skipped.length > 20 ? [`    … and ${number(skipped.length - 20)} more; --json lists all`] : []),
      ...(others.length === 0 ? [] : [`  Not read: ${others.join(", ")}`]),
      `Next: twelve release --env ${env}${set.map((pair) => ` --set ${pair}`).join("")}`,
    ].join("\n");
  },
});

async function findPrevious(store: Store, { app, name }: IndexFacts, { story }: Context): Promise<StoredIndex | undefined> {
  try {
    return await findIndex(store, app, name);
  } catch (error) {
    if (!isGone(error)) throw error;
    story.warn(`The latest index "${name}" cannot be read (${(error as Error).message}); it is made again`);
    return undefined;
  }
}

/** The previous ledger, where these documents and settings would give the same one. */
async function findSameLedger(store: Store, { index }: StoredIndex, { facts, documents }: { readonly facts: IndexFacts; readonly documents: readonly SourceDocument[] }): Promise<Ledger | undefined> {
  const { embedder, chunker } = index;
  if (canonicalJson([embedder, chunker]) !== canonicalJson([facts.embedder, facts.chunker])) return undefined;
  try {
    const ledger = await readDocument(store, ledgerKind, index.ledger);
    return isSameDocuments(ledger, documents) ? ledger : undefined;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Cutting takes long for many documents; every now and then it lets Ctrl-C through. */
async function cutDocuments(documents: readonly SourceDocument[], sizes: ChunkSizes, { story, signal, clock }: Context): Promise<readonly ChunkedDocument[]> {
  const progress = story.progress("Cutting documents into chunks");
  const chunked: ChunkedDocument[] = [];
  const startMs = clock.monotonicMs();
  let chunks = 0;
  try {
    for (const { path, digest, loader, text } of documents) {
      chunked.push({ path, digest, loader, language: null, metadata: {}, chunks: chunkDocument(path, loadBlocks(text, loader), sizes) });
      chunks += chunked.at(-1)?.chunks.length ?? 0;
      progress.update(chunked.length, documents.length);
      if (chunked.length % 8 === 0) await nextTurn();
      signal.throwIfAborted();
    }
    progress.done(`${chunked.length} documents cut into ${chunks} chunks in ${seconds(clock.monotonicMs() - startMs)}`);
  } finally {
    progress.stop();
  }
  return chunked;
}

async function embedAll(chunked: readonly ChunkedDocument[], how: Pick<Parameters<typeof embedTexts>[0], "embedder" | "embeddings">, { story, signal, clock }: Context): ReturnType<typeof embedTexts> {
  const texts = planTexts(chunked);
  const progress = story.progress("Embedding texts");
  const startMs = clock.monotonicMs();
  try {
    const result = await embedTexts({
      ...how, texts, signal,
      onProgress: (done, total) => progress.update(done, total),
      onDamaged: (batches) => story.warn(`${batches} stored ${batches === 1 ? "batch of embeddings is" : "batches of embeddings are"} missing or damaged; their texts are embedded again. \`twelve verify\` names the blobs.`),
    });
    progress.done(`${result.embedded} texts embedded, ${texts.size - result.embedded} from the cache, in ${seconds(clock.monotonicMs() - startMs)}`);
    return result;
  } finally {
    progress.stop();
  }
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

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}
