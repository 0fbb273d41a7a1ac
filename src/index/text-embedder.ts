import { setTimeout as sleep } from "node:timers/promises";
import type { IndexSettings } from "../manifest/schema.ts";
import type { Context } from "../ports/context.ts";
import type { Embedder } from "../ports/embedding.ts";
import type { Budget } from "./budget.ts";
import { openTextEmbedder, type TextEmbedder } from "./embed.ts";
import type { Embeddings } from "./embeddings.ts";
import { openPace } from "./pace.ts";

const defaultRequestsAtOnce = 8;

interface Embedding {
  readonly embedder: Embedder;
  readonly embeddings: Embeddings;
  readonly budget: Budget;
}

/** The embedder of an index at the pace that its settings allow, asking again where that can help. */
export function openPacedEmbedder({ clock, signal, story }: Pick<Context, "clock" | "signal" | "story">, settings: IndexSettings, embedding: Embedding): TextEmbedder {
  const wait = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
  const pace = openPace({ ...settings.embedding, requestsAtOnce: settings.embedding?.requestsAtOnce ?? defaultRequestsAtOnce }, { nowMs: () => clock.monotonicMs(), sleep: wait });
  const onRetry = (failure: Error, waitMs: number): void => story.note(`${failure.message}; asking again in ${(waitMs / 1000).toFixed(1)} s`);
  return openTextEmbedder({ ...embedding, pace, signal, retry: { random: Math.random, onRetry } });
}
