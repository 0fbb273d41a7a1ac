import { readDocument } from "../artifact/document.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import type { Descriptor } from "../core/descriptor.ts";
import type { Context } from "../ports/context.ts";
import type { Store } from "../ports/store.ts";
import type { VectorEngine } from "../ports/vectors.ts";
import { isGone, isHeld } from "./apply.ts";
import type { EngineBase } from "./engine-files.ts";
import type { IndexFacts } from "./plan.ts";
import { describeEmbedder, isSameProbe } from "./probe.ts";
import { findIndex, openIndexData, type StoredIndex } from "./read.ts";
import { type Index, type Ledger, ledgerKind } from "./schema.ts";

/** The index that a new one can be made from: the latest of its name, made with the same settings, and whole in this store. */
export interface PreviousIndex {
  readonly descriptor: Descriptor;
  readonly index: Index;
  readonly ledger: Ledger;
}

export interface Previous {
  /** Digest of the latest index, whatever it was made with. */
  readonly latest: Descriptor | undefined;
  readonly usable: PreviousIndex | undefined;
}

/** Never fails because of what is stored: an index that cannot be read is made again, and a warning says so. */
export async function findPrevious(store: Store, facts: IndexFacts, { engine, story }: { readonly engine: VectorEngine } & Pick<Context, "story">): Promise<Previous> {
  let found: StoredIndex | undefined;
  try {
    found = await findIndex(store, facts.app, facts.name);
    if (found === undefined) return { latest: undefined, usable: undefined };
    const { descriptor, index } = found;
    const isAlike = canonicalJson([index.embedder, index.chunker]) === canonicalJson([facts.embedder, facts.chunker]);
    if (canonicalJson(index.embedder) !== canonicalJson(facts.embedder)) story.note(`The latest index was made with ${describeEmbedder(index.embedder)}, now it is ${describeEmbedder(facts.embedder)}: texts without a vector of that are embedded`);
    if (!isAlike || !(await isHeld(store, descriptor, engine))) return { latest: descriptor, usable: undefined };
    return { latest: descriptor, usable: { descriptor, index, ledger: await readDocument(store, ledgerKind, index.ledger) } };
  } catch (error) {
    if (!isGone(error)) throw error;
    story.warn(`The latest index "${facts.name}" cannot be read (${(error as Error).message}); it is made again`);
    return { latest: found?.descriptor, usable: undefined };
  }
}

interface BaseQuestion extends Pick<Context, "dir" | "story"> {
  readonly engine: VectorEngine;
  /** The vectors of the probe texts now. */
  readonly probe: Uint8Array;
}

/** Lays out the engine files of the previous index to build on; undefined when they are damaged, of another engine version, or hold vectors of another model. */
export async function openBase(store: Store, { descriptor, index }: PreviousIndex, { dir, engine, probe, story }: BaseQuestion): Promise<EngineBase | undefined> {
  try {
    const { folder, data, probe: stored } = await openIndexData(store, descriptor, dir);
    if (!isSameProbe(probe, stored, index.embedder.dimensions)) {
      story.warn(`${describeEmbedder(index.embedder)} gives other vectors than when the latest index was made: every text is embedded again`);
      return undefined;
    }
    return data.engineVersion === engine.version ? { folder, files: data.files } : undefined;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
