import { setImmediate as nextTurn } from "node:timers/promises";
import { writeDocument } from "../artifact/document.ts";
import { startedNow } from "../core/ahead.ts";
import type { Descriptor } from "../core/descriptor.ts";
import { releaseBuffers } from "../core/memory.ts";
import type { Context } from "../ports/context.ts";
import type { Embedder } from "../ports/embedding.ts";
import type { Store } from "../ports/store.ts";
import type { VectorEngine } from "../ports/vectors.ts";
import { inWorkFolder, isHeld, storeIndexData } from "./apply.ts";
import type { ChunkText } from "./chunk.ts";
import type { CutResult } from "./cut.ts";
import type { EngineBase } from "./engine-files.ts";
import type { TextEmbedder } from "./embed.ts";
import { type Changes, type IndexFacts, type ListedFile, planIndex, planLedger } from "./plan.ts";
import { type Chunk, type Index, type IndexedDocument, indexKind, type Ledger, ledgerKind, type SkippedDocument } from "./schema.ts";
import { embedDocuments } from "./stream.ts";

export interface Making {
  readonly store: Store;
  readonly engine: VectorEngine;
  readonly embedder: Embedder;
  readonly facts: IndexFacts;
  /** The vectors of the probe texts, as the embedder gives them now. */
  readonly probe: Uint8Array;
  /** What the new index takes over, and the engine files that hold it. */
  readonly changes: Pick<Changes<ListedFile>, "kept" | "keptSkips" | "dropped">;
  readonly base: EngineBase | undefined;
  /** Skipped by the sources themselves. */
  readonly skipped: readonly SkippedDocument[];
  /** What was made of the files that changed. Read once; the documents' texts are not kept. */
  readonly results: AsyncIterable<CutResult>;
  readonly texts: Pick<TextEmbedder, "vectorsOf" | "stored">;
  /** Whether engine data that the store has for this very index is taken for wrong and replaced. */
  readonly isRebuilt: boolean;
  /** Called when nothing has been published yet; a failure leaves everything as it was. */
  readonly check: (ledger: Ledger) => void;
  readonly onProgress: (documents: number) => void;
  /** All documents are read and embedded; what follows is the engine's work. */
  readonly onRead: () => void;
}

export interface MadeIndex {
  readonly descriptor: Descriptor;
  readonly index: Index;
  readonly ledger: Ledger;
}

/**
 * Documents stream through: they are cut, embedded and handed to the engine a group at a time, so that memory does not grow with
 * their number, save for the ledger. The engine writes beside everything that exists.
 */
export async function makeIndex({ dir, clock, signal }: Pick<Context, "dir" | "clock" | "signal">, making: Making): Promise<MadeIndex> {
  const { store, engine, embedder, facts, changes, base, check, onProgress, onRead } = making;
  const documents: IndexedDocument[] = [...changes.kept];
  const skipped: SkippedDocument[] = [...making.skipped, ...changes.keptSkips];

  async function* newDocuments(): AsyncGenerator<Extract<CutResult, { readonly kind: "document" }>["document"]> {
    let done = 0;
    for await (const result of making.results) {
      signal.throwIfAborted();
      if (result.kind === "skipped") skipped.push(result.skipped);
      else {
        const { chunks, digest, language, loader, metadata, path } = result.document;
        documents.push({ chunks: chunks.map(withoutText), digest, language, loader, metadata, path });
        yield result.document;
      }
      onProgress(++done);
    }
  }

  /** The ledger is complete as soon as all documents are read. */
  const write = async (ledger: Ledger): Promise<MadeIndex> => {
    const index = planIndex(facts, ledger, await writeDocument(store, ledgerKind, ledger));
    return { descriptor: await writeDocument(store, indexKind, index), index, ledger };
  };
  let ledger: Ledger | undefined;
  let written: Promise<MadeIndex> | undefined;
  const onRows = (): void => {
    onRead();
    const complete = planLedger(documents, skipped);
    check(complete);
    ledger = complete;
    // An engine that makes an index anew needs all the memory there is: the vectors go as soon as they are stored.
    if (base === undefined) {
      void making.texts.stored().then(releaseBuffers, () => {});
      return;
    }
    // Otherwise it is set to work first, and the ledger is written meanwhile.
    written = nextTurn().then(() => write(complete));
    // Whoever waits for it sees the failure; until then it is no unhandled one.
    written.catch(() => {});
  };

  // The first texts are embedded while the engine takes over what it builds on.
  const rows = startedNow(embedDocuments(newDocuments(), making.texts));
  return inWorkFolder(dir, (size) => clock.randomHex(size), async (work) => {
    await engine.write(work, { rows, onRows, dimensions: embedder.identity.dimensions, ...(base === undefined ? {} : { base: { folder: base.folder, drop: changes.dropped } }) });
    signal.throwIfAborted();
    if (ledger === undefined) throw new Error(`${engine.name} has not said when it had all rows`);
    const made = await (written ?? write(ledger));
    await making.texts.stored();
    const { descriptor, index } = made;
    if (making.isRebuilt || !(await isHeld(store, descriptor, engine))) {
      await storeIndexData(store, { dir, index: descriptor, chunks: index.chunks, probe: making.probe, engine, work, base, isRebuilt: making.isRebuilt });
    }
    return made;
  });
}

function withoutText({ id, textDigest, headings, tokens, page }: ChunkText): Chunk {
  return { headings, id, ...(page === undefined ? {} : { page }), textDigest, tokens };
}
