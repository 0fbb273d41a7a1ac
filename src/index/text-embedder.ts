import { patienceOf } from "../core/patience.ts";
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

type Machine = Pick<Context, "clock" | "signal" | "story">;

/** The embedder of an index at the pace that its settings allow, asking again where that can help. */
export function openPacedEmbedder(machine: Machine, settings: IndexSettings, embedding: Embedding): TextEmbedder {
  const { sleep: wait, ...retry } = patienceOf(machine);
  const requestsAtOnce = settings.embedding?.requestsAtOnce ?? embedding.embedder.requestsAtOnce ?? defaultRequestsAtOnce;
  const pace = openPace({ ...settings.embedding, requestsAtOnce }, { nowMs: () => machine.clock.monotonicMs(), sleep: wait });
  return openTextEmbedder({ ...embedding, pace, signal: machine.signal, retry });
}
