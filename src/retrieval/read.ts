import { readDocument } from "../artifact/document.ts";
import type { Build } from "../build/schema.ts";
import { resolvedIndexes } from "../config/settings.ts";
import type { AttachedUrl } from "../config/vectors.ts";
import type { Descriptor, Digest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { patiently, type Waiting } from "../core/patience.ts";
import { checkProbe } from "../index/probe.ts";
import { type Index, indexKind } from "../index/schema.ts";
import type { Checkable } from "../ports/check.ts";
import type { Context, Environment } from "../ports/context.ts";
import type { Reranker } from "../ports/rerank.ts";
import type { Release } from "../release/schema.ts";
import { embedTexts } from "./embed.ts";
import { planSearch } from "./plan.ts";
import type { RetrievedChunk, RetrieveSettings } from "./schema.ts";
import { searchChunks } from "./search.ts";
import { countFailures } from "./failure.ts";
import { findVectors } from "./vectors.ts";

export interface IndexToSearch {
  readonly name: string;
  readonly index: Descriptor;
  /** Reference of the embedder, such as hash:512; null where the index is searched by words alone. */
  readonly embedder: string | null;
  /** The vector service that holds it, with credentials; without one the embedded engine does. */
  readonly vectors?: AttachedUrl | undefined;
}

/** Finds the best chunks for a question, numbered from 1. */
export type Search = (question: string, signal: AbortSignal | undefined) => Promise<readonly RetrievedChunk[]>;

export interface UsedService {
  /** What it is for, such as `embedder of index docs`. */
  readonly name: string;
  readonly service: Checkable;
  /** How many questions it has failed so far, not counting those that it refused for what they hold. */
  failures(): number;
}

/** One index, open for searching. */
export interface Retriever {
  readonly name: string;
  readonly digest: Digest;
  readonly index: Index;
  /** Lowest cosine between the probe texts' vectors now and when the index was made. */
  readonly probeCosine: number;
  /** What the embedder's ranking counts in a hybrid search where the settings say nothing. */
  readonly fusionWeight: number;
  /** Makes everything ready that these settings need. Fails with CONFIG_INVALID or SERVICE_UNSUPPORTED before the first question is asked. */
  prepare(settings: RetrieveSettings): Promise<Search>;
  /** The vectors of texts, in order, as the index has those of its chunks or as a question gets one. */
  embed(texts: readonly string[], task: "document" | "query", signal?: AbortSignal): Promise<readonly Float32Array[]>;
  /** Asks where the index is held whether it is still there. Fails as the engine does, or with INDEX_NOT_FOUND, INDEX_NOT_PUBLISHED or INDEX_CORRUPT. */
  count(): Promise<number>;
  /** The services that a question is brought to. */
  services(): readonly UsedService[];
  close(): void;
}

/** The indexes of these names as a release holds them. Fails with INDEX_NOT_FOUND. */
export function indexesToSearch(release: Release, build: Build, names: readonly string[]): readonly IndexToSearch[] {
  const settings = resolvedIndexes(build.manifest, release.config, names);
  return names.map((name) => {
    const index = release.indexes[name];
    const embedder = settings[name]?.embedder;
    if (index === undefined || embedder === undefined) throw new TwelveError("INDEX_NOT_FOUND", `The release holds no index "${name}"`);
    return { name, index, embedder };
  });
}

/**
 * Opens the index where it is held, and makes sure that the embedder still gives the vectors it was made with.
 * Fails with EMBEDDER_DRIFTED, INDEX_NOT_PUBLISHED, INDEX_CORRUPT, BLOB_NOT_FOUND or BLOB_CORRUPT, or as a vector service does.
 * Whoever asks waits for the answer: what is away is told at once, and only a rate limit is waited for, unless `context` says otherwise.
 */
export async function openRetriever(asking: Context & Pick<Waiting, "patience">, plan: IndexToSearch, secrets: Environment = {}): Promise<Retriever> {
  const context: Context & Waiting = { patience: "limits", ...asking };
  /** By reference: a local model is loaded once, however many searches are prepared. */
  const rerankers = new Map<string, Reranker>();
  const counter = countFailures();
  const store = await context.store();
  const reading = readDocument(store, indexKind, plan.index);
  // In the place of none, vectors of the right length, which are compared with nothing.
  const reference = plan.embedder ?? `hash:${(await reading).embedder.dimensions}`;
  const [index, held, embedder] = await Promise.all([reading, findVectors(context, plan, secrets), patiently(() => context.openEmbedder(reference, secrets), context)]);
  const probeCosine = plan.embedder === null ? 1 : await checkProbe(embedder, held.probe, index.embedder, context);
  const vectors = await held.open(index);
  const embedderName = `embedder of index ${plan.name}`;
  return {
    name: plan.name,
    digest: plan.index.digest,
    index,
    probeCosine,
    fusionWeight: embedder.fusionWeight,
    async prepare(settings) {
      const search = planSearch(settings, embedder.fusionWeight);
      const { reranker: reference } = settings;
      const reranker = reference === undefined ? undefined : (rerankers.get(reference) ?? (await patiently(() => context.openReranker(reference, secrets), context)));
      if (reference !== undefined && reranker !== undefined) rerankers.set(reference, reranker);
      const counted = { vectors, embedder: counter.embedder(embedderName, embedder), reranker: reranker && counter.reranker(rerankerTitle(reranker), reranker) };
      return (question, signal) => searchChunks(question, search, counted, signal);
    },
    embed: (texts, task, signal) => embedTexts(texts, task, counter.embedder(embedderName, embedder), signal),
    count: () => vectors.count(),
    services: () => [[embedderName, embedder] as const, ...[...rerankers.values()].map((reranker) => [rerankerTitle(reranker), reranker] as const)].map(([name, service]) => ({ name, service, failures: () => counter.of(name) })),
    close: () => vectors.close(),
  };
}

function rerankerTitle({ name }: Reranker): string {
  return `reranker ${name}`;
}
