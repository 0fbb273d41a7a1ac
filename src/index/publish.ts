import { setTimeout as sleep } from "node:timers/promises";
import { readDocument } from "../artifact/document.ts";
import { shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { Context } from "../ports/context.ts";
import type { Store } from "../ports/store.ts";
import type { VectorIndex, VectorRow, VectorService } from "../ports/vectors.ts";
import { type Comparison, comparePublished, countCompared, formatDifferences, isSound } from "./compare.ts";
import { movePublication, readPublication, type RecordedPublication } from "./publication.ts";
import { beatMs, namespaceOf, planPublish, silentMs } from "./publish-plan.ts";
import type { StoredIndex } from "./read.ts";
import { ledgerKind, type Publication } from "./schema.ts";

type Tools = Pick<Context, "clock" | "story" | "signal">;

export interface Publishing extends StoredIndex {
  readonly store: Store;
  /** The embedded engine's, from which the rows are taken. */
  readonly source: VectorIndex;
  readonly service: VectorService;
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

  const claim = await claimNamespace(tools, publishing, { before, namespace: plan.namespace });
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

async function compare({ store, service, source, index, descriptor }: Publishing, namespace: string): Promise<Comparison> {
  const ledger = await readDocument(store, ledgerKind, index.ledger);
  const opened = await service.open(namespace);
  try {
    const comparison = await comparePublished(opened, ledger, source);
    if (isSound(comparison)) return comparison;
    throw new TwelveError("INDEX_CORRUPT", `${service.url} does not hold what the ledger of index ${index.name} (${shortDigest(descriptor.digest)}) says: ${countCompared(comparison)}, the ledger lists ${index.chunks}`, {
      problems: formatDifferences(comparison).slice(0, 20).map((line) => ({ message: line.trim() })),
      fix: `Run \`twelve index publish ${shortDigest(descriptor.digest)} --again\`, which loads it beside the old one`,
    });
  } finally {
    opened.close();
  }
}

interface Claim {
  readonly namespace: string;
  /** Fails with RELEASE_CONFLICT once another process has taken over. */
  check(): void;
  /** Records the end, unless another process has taken over. */
  end(facts: { readonly published: NonNullable<Publication["published"]>; readonly usedAt: string }): Promise<void>;
  /** Leaves things as they were before. */
  giveUp(clean: () => Promise<void>): Promise<void>;
}

/** Says in the record who loads, and goes on saying so: no second process writes into the same namespace meanwhile. */
async function claimNamespace({ clock }: Tools, { store, service, descriptor, index }: Publishing, { before, namespace }: { readonly before: RecordedPublication | undefined; readonly namespace: string }): Promise<Claim> {
  const which = { app: index.app, index: descriptor.digest, url: service.url };
  const attempt = clock.randomHex(8);
  const taken = new TwelveError("RELEASE_CONFLICT", `Another process began to publish index ${index.name} to ${service.url} at the same time`);
  let isLost = false;
  const loading = (): Publication["loading"] => ({ namespace, attempt, at: clock.now().toISOString() });
  const first: Publication = { version: 1, index: descriptor, name: index.name, url: service.url, published: null, left: [], usedAt: clock.now().toISOString(), ...before?.value, loading: loading() };
  const claimed = await movePublication(store, which, before, first);
  if (claimed === undefined) throw taken;
  let record = claimed;
  let turn: Promise<void> = Promise.resolve();
  /** A release that takes the older namespace meanwhile changes the record too; only another attempt means that this one is over. */
  const move = (change: (value: Publication) => Publication): Promise<void> => {
    turn = turn.then(async () => {
      while (!isLost) {
        const moved = await movePublication(store, which, record, change(record.value));
        const now = moved ?? (await readPublication(store, which));
        if (now === undefined || (moved === undefined && now.value.loading?.attempt !== attempt)) isLost = true;
        else record = now;
        if (moved !== undefined) return;
      }
    });
    return turn;
  };
  // A store that is away for a moment is no reason to stop: whether another process took over is seen when it is back.
  const beat = setInterval(() => void move((value) => ({ ...value, loading: loading() })).catch(() => undefined), beatMs);
  beat.unref();
  const stop = async (): Promise<void> => {
    clearInterval(beat);
    await turn.catch(() => undefined);
    turn = Promise.resolve();
  };
  const check = (): void => {
    if (isLost) throw taken;
  };
  return {
    namespace,
    check,
    async end(ended) {
      await stop();
      await move((value) => {
        const { published } = value;
        // Processes may read the older namespace for a while yet.
        const left = published === null || published.namespace === ended.published.namespace ? value.left : [...value.left, { namespace: published.namespace, at: ended.usedAt }];
        return { ...value, ...ended, left, loading: null };
      });
      check();
    },
    async giveUp(clean) {
      await stop();
      if (isLost) return;
      // Best effort: what fails here is told by the failure that led here, and the next run clears it away.
      await clean().then(() => move((value) => ({ ...value, loading: null }))).catch(() => undefined);
    },
  };
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
