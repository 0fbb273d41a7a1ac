import { setImmediate as nextTurn } from "node:timers/promises";
import type { Digest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { retrying, type RetryTools } from "../core/retry.ts";
import type { Embedder } from "../ports/embedding.ts";
import type { Budget } from "./budget.ts";
import type { Embeddings } from "./embeddings.ts";
import type { Pace } from "./pace.ts";
import { type EmbeddingTask, planBatches, type TextToEmbed } from "./plan.ts";
import { describeEmbedder } from "./probe.ts";

export interface Embedding {
  readonly embedder: Embedder;
  readonly embeddings: Embeddings;
  readonly pace: Pace;
  readonly budget: Budget;
  readonly retry: Pick<RetryTools, "random" | "onRetry">;
  readonly signal: AbortSignal;
}

/** Gives texts their vectors. */
export interface TextEmbedder {
  /**
   * From the store where it has them. Each batch is stored as soon as it is embedded, and is in flight until then: a run that is killed,
   * interrupted or refused by the service loses only the batches in flight. Their vectors are given as soon as they are there. Two calls
   * at the same time share the texts that both have; each is told of the batches that were embedded for it.
   */
  vectorsOf(texts: ReadonlyMap<Digest, TextToEmbed>, onEmbedded?: (batch: EmbeddingTask) => void): Promise<ReadonlyMap<Digest, Float32Array>>;
  /** Waits until everything that was embedded is stored; fails where it could not be. */
  stored(): Promise<void>;
  /** How many texts went to the embedder, in how many requests. */
  readonly embedded: number;
  readonly requests: number;
}

export function openTextEmbedder({ embedder, embeddings, pace, budget, retry, signal }: Embedding): TextEmbedder {
  /** Texts in flight, so that a second group with the same text waits for the first. */
  const coming = new Map<Digest, Promise<Float32Array>>();
  const storing = new Set<Promise<void>>();
  let embedded = 0;
  let requests = 0;
  let failure: { readonly cause: unknown } | undefined;

  const ask = async (batch: EmbeddingTask): Promise<ReadonlyMap<Digest, Float32Array>> => {
    signal.throwIfAborted();
    requests++;
    return embedBatch(embedder, batch, signal);
  };

  /** What is counted as done is never paid for again. */
  const run = (batch: EmbeddingTask, give: (found: ReadonlyMap<Digest, Float32Array>) => void): Promise<void> =>
    retrying(
      () =>
        pace.run(batch.tokens, async () => {
          // After a failure nothing more is sent; what is under way is finished and kept.
          if (failure !== undefined) throw failure.cause;
          await nextTurn();
          budget.take(batch.tokens);
          const found = await ask(batch);
          embedded += found.size;
          give(found);
          await embeddings.append(found).catch((error: unknown) => {
            embedded -= found.size;
            throw error;
          });
        }),
      {
        ...retry,
        sleep: (ms) => pace.wait(ms),
        successes: () => embedded,
        onRetry: (error, waitMs, attempt) => {
          budget.giveBack(batch.tokens);
          // A service that says how long to wait means all requests.
          if (error.retry?.afterMs != null) pace.rest(error.retry.afterMs);
          retry.onRetry(error, waitMs, attempt);
        },
      },
    ).catch((cause: unknown) => {
      failure ??= { cause };
      // Whoever waits for a share of the rate, or to ask again, might do so for minutes.
      pace.stop(cause);
      throw cause;
    });

  return {
    async vectorsOf(texts, onEmbedded = () => {}) {
      const vectors = await findKnown(embeddings, texts.keys());
      // Nothing is waited for from here to where the missing ones are entered as coming, so no text can slip through.
      const shared = [...texts.keys()].flatMap((digest) => (vectors.has(digest) ? [] : [[digest, coming.get(digest)] as const]));
      const missing = new Map(shared.flatMap(([digest, other]) => (other === undefined ? [[digest, texts.get(digest) as TextToEmbed] as const] : [])));
      const batches = planBatches(missing, embedder).map((batch) => {
        const { promise: answer, resolve, reject } = Promise.withResolvers<ReadonlyMap<Digest, Float32Array>>();
        const done = run(batch, resolve).then(() => onEmbedded(batch));
        done.catch(reject);
        storing.add(done);
        void done.finally(() => storing.delete(done)).catch(() => {});
        for (const { digest } of batch.texts) {
          const vector = answer.then((found) => found.get(digest) as Float32Array);
          vector.catch(() => {});
          coming.set(digest, vector);
        }
        return { batch, answer };
      });
      const settled = await Promise.allSettled(batches.map(({ answer }) => answer));
      for (const { batch } of batches) for (const { digest } of batch.texts) coming.delete(digest);
      // What was paid for is stored before anybody hears of a failure, and may end the process.
      if (settled.some(({ status }) => status === "rejected")) await Promise.allSettled(storing);
      for (const result of settled) {
        if (result.status === "rejected") throw (failure?.cause ?? result.reason) as Error;
        for (const [digest, vector] of result.value) vectors.set(digest, vector);
      }
      for (const [digest, other] of shared) if (other !== undefined) vectors.set(digest, await other);
      return vectors;
    },
    async stored() {
      await Promise.all(storing);
      if (failure !== undefined) throw failure.cause;
    },
    get embedded() {
      return embedded;
    },
    get requests() {
      return requests;
    },
  };
}

/** Again for as long as others store what is wanted meanwhile. */
async function findKnown(embeddings: Embeddings, wanted: Iterable<Digest>): Promise<Map<Digest, Float32Array>> {
  const vectors = new Map<Digest, Float32Array>();
  let left = [...wanted];
  while (left.some((digest) => embeddings.has(digest))) {
    for (const [digest, vector] of await embeddings.find(left)) vectors.set(digest, vector);
    left = left.filter((digest) => !vectors.has(digest));
  }
  return vectors;
}

async function embedBatch(embedder: Embedder, { texts }: EmbeddingTask, signal: AbortSignal): Promise<ReadonlyMap<Digest, Float32Array>> {
  const { dimensions } = embedder.identity;
  const vectors = await embedder.embed(texts.map(({ text }) => text), "document", signal);
  const isComplete = vectors.length === texts.length && vectors.every((vector) => vector.length === dimensions && vector.every(Number.isFinite));
  if (!isComplete) {
    const answer = `${vectors.length} vectors of ${[...new Set(vectors.map(({ length }) => length))].join(" and ")} numbers`;
    throw new TwelveError("SERVICE_FAILED", `${describeEmbedder(embedder.identity)} was asked for ${texts.length} vectors of ${dimensions} finite numbers and gave ${answer}`);
  }
  return new Map(texts.map(({ digest }, i) => [digest, vectors[i] as Float32Array]));
}
