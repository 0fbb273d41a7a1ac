import { setTimeout as sleep } from "node:timers/promises";
import { readDocument } from "../artifact/document.ts";
import { shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { Context } from "../ports/context.ts";
import type { Store } from "../ports/store.ts";
import type { VectorIndex, VectorRow, VectorService } from "../ports/vectors.ts";
import { type Claim, claimNamespace } from "./claim.ts";
import { type Comparison, comparePublished, countCompared, formatDifferences, isSound } from "./compare.ts";
import { readPublication } from "./publication.ts";
import { knowingIndex, type PublishPlace, publishFix } from "./published.ts";
import { namespaceOf, planPublish, silentMs } from "./publish-plan.ts";
import type { StoredIndex } from "./read.ts";
import { ledgerKind } from "./schema.ts";

type Tools = Pick<Context, "clock" | "story" | "signal">;

export interface Publishing extends StoredIndex {
  readonly store: Store;
  /** The embedded engine's, from which the rows are taken. */
  readonly source: VectorIndex;
  readonly service: VectorService;
  readonly place: PublishPlace;
  /** Whether to load it once more beside what is there. */
  readonly isAgain: boolean;
}

export interface Published {
  readonly namespace: string;
  /** false when it was there already, and was only compared. */
  readonly isLoaded: boolean;
  readonly comparison: Comparison;
}

/** Like `publish`, after every other process that publishes the same index there has finished, or has been silent for so long that it must be dead. */
export async function publishInTurn(tools: Tools, publishing: Publishing): Promise<Published> {
  for (let isTold = false; ; isTold = true) {
    try {
      return await publish(tools, publishing);
    } catch (error) {
      if (!(error instanceof TwelveError) || error.code !== "RELEASE_CONFLICT" || error.retry === undefined) throw error;
      if (!isTold) tools.story.note(`${error.message}; waiting until it has finished, or has given no sign of life for ${silentMs / 1000} s`);
      await sleep(Math.min(error.retry.afterMs ?? lookMs, lookMs), undefined, { signal: tools.signal }).catch(() => tools.signal.throwIfAborted());
    }
  }
}

/** How often a process that waits looks again. */
const lookMs = 2000;

/**
 * Loads an index into a namespace of its own and compares what is then there with the ledger. Only after that does the record in the store
 * say that it is published. Killed at any point, nothing is published, and the next run goes on or begins anew.
 * Fails with INDEX_CORRUPT, RELEASE_CONFLICT, or as the service does.
 */
async function publish(tools: Tools, publishing: Publishing): Promise<Published> {
  const { store, service, descriptor, index, isAgain } = publishing;
  const { clock, story } = tools;
  const which = { app: index.app, index: descriptor.digest, url: service.url };
  const listed = new Set(await service.namespaces());
  const before = await readPublication(store, which);
  const silentForMs = clock.now().getTime() - Date.parse(before?.value.loading?.at ?? "1970-01-01T00:00:00Z");
  const fresh = namespaceOf({ app: index.app, name: index.name, digest: descriptor.digest, random: clock.randomHex(3) });
  const plan = planPublish({ publication: before?.value, listed, isAgain, silentForMs, fresh });
  if (plan.kind === "wait") {
    throw new TwelveError("RELEASE_CONFLICT", `Another process is publishing index ${index.name} to ${service.url}`, { fix: "Wait for it", retry: { afterMs: plan.waitMs } });
  }
  if (plan.kind === "compare") return { namespace: plan.namespace, isLoaded: false, comparison: await compare(publishing, plan.namespace) };

  const claim = await claimNamespace(clock, { ...publishing, before, namespace: plan.namespace });
  try {
    if (plan.kind === "load") await load(tools, publishing, claim);
    else story.note(`${plan.namespace} was loaded by a process that was stopped before it was compared`);
    const comparison = await compare(publishing, plan.namespace);
    const publishedAt = clock.now().toISOString();
    await claim.end({ published: { namespace: plan.namespace, chunks: comparison.held, publishedAt }, usedAt: publishedAt });
    return { namespace: plan.namespace, isLoaded: plan.kind === "load", comparison };
  } catch (error) {
    await claim.giveUp(() => service.drop(plan.namespace));
    throw error;
  }
}

function compare(publishing: Publishing, namespace: string): Promise<Comparison> {
  return knowingIndex(publishing, () => compareNamespace(publishing, namespace));
}

async function compareNamespace({ store, service, source, index, descriptor, place }: Publishing, namespace: string): Promise<Comparison> {
  const ledger = await readDocument(store, ledgerKind, index.ledger);
  const opened = await service.open(namespace);
  try {
    const comparison = await comparePublished(opened, ledger, source);
    if (isSound(comparison)) return comparison;
    throw new TwelveError("INDEX_CORRUPT", `${service.url} does not hold what the ledger of index ${index.name} (${shortDigest(descriptor.digest)}) says: ${countCompared(comparison)}, the ledger lists ${index.chunks}`, {
      problems: formatDifferences(comparison).slice(0, 20).map((line) => ({ message: line.trim() })),
      fix: `${publishFix(index, descriptor, place, "--again")}, which loads it beside the old one`,
    });
  } finally {
    opened.close();
  }
}

async function load({ story, signal }: Tools, { source, service, index }: Publishing, claim: Claim): Promise<void> {
  const progress = story.progress("Loading chunks");
  async function* rows(): AsyncGenerator<readonly VectorRow[]> {
    let done = 0;
    for await (const group of source.rows()) {
      signal.throwIfAborted();
      claim.check();
      yield group;
      done += group.length;
      progress.update(done, index.chunks);
    }
  }
  try {
    await service.publish(claim.namespace, { dimensions: index.embedder.dimensions, rows: rows() });
    progress.done(`Loaded ${index.chunks.toLocaleString("en-US")} chunks into ${claim.namespace}`);
  } finally {
    progress.stop();
  }
}
