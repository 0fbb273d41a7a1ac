import { patiently } from "../core/patience.ts";
import type { Context } from "../ports/context.ts";
import type { Embedder } from "../ports/embedding.ts";
import type { Store } from "../ports/store.ts";
import type { VectorEngine } from "../ports/vectors.ts";
import { type Cutters, openCutters } from "./cutters.ts";
import { type DocumentFile, listDocuments, type Listing } from "./documents.ts";
import { type Changes, chunkerIdentity, type IndexFacts, planChanges } from "./plan.ts";
import { findPrevious, type Previous } from "./previous.ts";
import type { Ledger, SkippedDocument } from "./schema.ts";
import { digestSeen, readSeen, type Seen, writeSeen } from "./seen.ts";
import { type IndexRequest, readSettings, type RequestedIndex } from "./settings.ts";
import { cutDocuments, digestsOf } from "./stream.ts";

/** Everything that is known before a document is cut. */
export interface Prepared {
  readonly requested: RequestedIndex;
  readonly store: Store;
  readonly embedder: Embedder;
  readonly engine: VectorEngine;
  readonly facts: IndexFacts;
  readonly listing: Listing;
  readonly previous: Previous;
  readonly changes: Changes<DocumentFile>;
  /** To be closed by the caller. */
  readonly cutters: Cutters;
  /** Lets the next run on this machine know what the files held that stand in this ledger. */
  readonly remember: (ledger: Ledger) => void;
}

/** Opens the services, lists the documents and compares them with the latest index. Fails as each of these does. */
export async function prepareIndex(context: Context, request: IndexRequest): Promise<Prepared> {
  const requested = await readSettings(context, request);
  const { app, name, settings, secrets } = requested;
  const [store, embedder, engine, listing] = await Promise.all([context.store(), patiently(() => context.openEmbedder(settings.embedder, secrets), context), context.openVectors("lance:"), listDocuments(context, settings)]);
  const facts: IndexFacts = { app, name, embedder: embedder.identity, chunker: chunkerIdentity(settings.chunk) };
  warnOfLongChunks(context, embedder, facts, settings.embedder);
  const seen = readSeen(context.dir, name);
  const unseen = listing.files.filter((file) => digestSeen(seen, file) === undefined);
  const cutters = openCutters(facts.chunker, { files: listing.files.length, unseen: unseen.map(({ loaderName }) => loaderName) });
  // Nobody who has pressed Ctrl-C waits for a file that holds its reader up.
  context.signal.addEventListener("abort", () => void cutters.close(), { once: true });
  try {
    const previous = await findPrevious(store, facts, { engine, story: context.story });
    const changes = await findChanges(previous, listing.files, { seen, cutters, signal: context.signal });
    const remember = ({ documents, skipped }: Ledger): void => {
      const digests = new Map([...documents, ...skipped].flatMap(({ path, digest }) => (digest === null ? [] : [[path, digest] as const])));
      writeSeen(context, name, { before: seen, files: listing.files, digests });
    };
    return { requested, store, embedder, engine, facts, listing, previous, cutters, changes, remember };
  } catch (error) {
    await cutters.close();
    throw error;
  }
}

/** US dollars for a million tokens; null where it is not known. */
export function priceOf({ embedder, requested }: Pick<Prepared, "embedder" | "requested">): number | null {
  return requested.settings.embedding?.usdPerMillionTokens ?? embedder.usdPerMillionTokens;
}

/** Nothing to read, nothing to leave out, and the sources skip what they skipped before. */
export function isUnchanged({ previous: { usable }, changes, listing }: Prepared): boolean {
  if (usable === undefined || changes.toRead.length > 0 || changes.dropped.size > 0) return false;
  const now = new Map<string, SkippedDocument["reason"]>([...listing.skipped, ...changes.keptSkips].map(({ path, reason }) => [path, reason]));
  return now.size === usable.ledger.skipped.length && usable.ledger.skipped.every(({ path, reason }) => now.get(path) === reason);
}

interface Reading {
  readonly cutters: Cutters;
  readonly signal: AbortSignal;
}

async function findChanges({ usable }: Previous, files: readonly DocumentFile[], { seen, ...reading }: Reading & { readonly seen: Seen }): Promise<Changes<DocumentFile>> {
  if (usable === undefined) return planChanges(undefined, files, new Map());
  const known = new Set([...usable.ledger.documents, ...usable.ledger.skipped].map(({ path }) => path));
  const changes = planChanges(usable.ledger, files, await digestsOf(files.filter(({ path }) => known.has(path)), seen, reading));
  return withoutStubborn(usable.ledger, changes, reading);
}

/** Files that could not be read before have no digest to tell whether they changed. One that still cannot be read, for the same reason, is no change. */
async function withoutStubborn(ledger: Ledger, changes: Changes<DocumentFile>, { cutters, signal }: Reading): Promise<Changes<DocumentFile>> {
  const unread = new Map(ledger.skipped.flatMap((skip) => (skip.digest === null ? [[skip.path, skip] as const] : [])));
  const candidates = changes.toRead.filter(({ path, loader }) => unread.get(path)?.loader === loader);
  const still: SkippedDocument[] = [];
  for await (const result of cutDocuments(candidates, cutters, signal)) {
    const before = result.kind === "skipped" ? unread.get(result.skipped.path) : undefined;
    if (result.kind === "skipped" && before?.reason === result.skipped.reason) still.push(before);
  }
  const paths = new Set(still.map(({ path }) => path));
  return { ...changes, keptSkips: [...changes.keptSkips, ...still], toRead: changes.toRead.filter(({ path }) => !paths.has(path)) };
}

function warnOfLongChunks({ story }: Context, { maxTextTokens }: Embedder, { chunker }: IndexFacts, reference: string): void {
  if (maxTextTokens === undefined || chunker.maxTokens <= maxTextTokens) return;
  story.warn(`Chunks may have ${chunker.maxTokens} tokens, but ${reference} reads only the first ${maxTextTokens} of a text. Set \`chunk: { maxTokens: ${maxTextTokens} }\` for the index`);
}
