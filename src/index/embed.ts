import { setImmediate as nextTurn } from "node:timers/promises";
import type { Digest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { Embedder } from "../ports/embedding.ts";
import type { Embeddings } from "./embeddings.ts";
import { type EmbeddingBatch, planBatches } from "./plan.ts";
import { describeEmbedder } from "./probe.ts";

const largestBatch = 256;
/** An embedding service answers several requests in the time of one. */
const requestsAtOnce = 4;

export interface Embedding {
  readonly texts: ReadonlyMap<Digest, string>;
  readonly embedder: Embedder;
  readonly embeddings: Embeddings;
  readonly signal: AbortSignal;
  /** Called with the number of texts that have a vector by now. */
  readonly onProgress: (done: number, total: number) => void;
  readonly onDamaged: (batches: number) => void;
}

export interface Embedded {
  readonly vectors: ReadonlyMap<Digest, Float32Array>;
  /** How many texts went to the embedder. */
  readonly embedded: number;
}

/**
 * Gives every text its vector, from the store where it has one. Each batch is stored as soon as it is embedded, so a
 * run that is killed, interrupted or refused by the service loses only the batches in flight.
 */
export async function embedTexts({ texts, embedder, embeddings, signal, onProgress, onDamaged }: Embedding): Promise<Embedded> {
  const { vectors, damaged } = await embeddings.load(texts);
  if (damaged.length > 0) onDamaged(damaged.length);
  const known = vectors.size;
  const batches = planBatches(texts, vectors, Math.min(embedder.maxBatch, largestBatch));
  onProgress(known, texts.size);
  const failures: unknown[] = [];
  // Appending moves one ref, so batches are appended one after the other.
  let appended = Promise.resolve();
  const queue = batches.values();
  await Promise.all(Array.from({ length: requestsAtOnce }, async () => {
    for (const batch of queue) {
      try {
        await nextTurn();
        signal.throwIfAborted();
        const found = await embedBatch(embedder, batch, signal);
        appended = appended.then(() => embeddings.append(found));
        await appended;
        for (const [digest, vector] of found) vectors.set(digest, vector);
        onProgress(vectors.size, texts.size);
      } catch (error) {
        failures.push(error);
      }
      if (failures.length > 0) return;
    }
  }));
  if (failures.length > 0) throw failures[0];
  return { vectors, embedded: vectors.size - known };
}

async function embedBatch(embedder: Embedder, batch: EmbeddingBatch, signal: AbortSignal): Promise<ReadonlyMap<Digest, Float32Array>> {
  const { dimensions } = embedder.identity;
  const vectors = await embedder.embed(batch.map(([, text]) => text), "document", signal);
  const isComplete = vectors.length === batch.length && vectors.every((vector) => vector.length === dimensions && vector.every(Number.isFinite));
  if (!isComplete) {
    const answer = `${vectors.length} vectors of ${[...new Set(vectors.map(({ length }) => length))].join(" and ")} numbers`;
    throw new TwelveError("SERVICE_FAILED", `${describeEmbedder(embedder.identity)} was asked for ${batch.length} vectors of ${dimensions} finite numbers and gave ${answer}`);
  }
  return new Map(batch.map(([digest], i) => [digest, vectors[i] ?? new Float32Array(dimensions)]));
}
