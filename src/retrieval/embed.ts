import { onceMore } from "../core/patience.ts";
import { countTokens } from "../core/tokens.ts";
import type { Embedder } from "../ports/embedding.ts";

const usualRequestsAtOnce = 8;

/** The vectors of any number of texts, in order, in as few requests as the embedder takes. */
export async function embedTexts(texts: readonly string[], task: "document" | "query", embedder: Embedder, signal?: AbortSignal): Promise<readonly Float32Array[]> {
  const batches = batchesOf(texts, embedder);
  const atOnce = embedder.requestsAtOnce ?? usualRequestsAtOnce;
  const vectors: Float32Array[] = [];
  for (let at = 0; at < batches.length; at += atOnce) {
    const group = await Promise.all(batches.slice(at, at + atOnce).map((batch) => onceMore(() => embedder.embed(batch, task, signal), { signal })));
    vectors.push(...group.flat());
  }
  return vectors;
}

function batchesOf(texts: readonly string[], { maxBatch, maxBatchTokens = Number.POSITIVE_INFINITY }: Embedder): readonly (readonly string[])[] {
  const batches: string[][] = [];
  let tokens = 0;
  for (const text of texts) {
    const own = countTokens(text);
    const batch = batches.at(-1);
    if (batch !== undefined && batch.length < maxBatch && tokens + own <= maxBatchTokens) {
      batch.push(text);
      tokens += own;
      continue;
    }
    batches.push([text]);
    tokens = own;
  }
  return batches;
}
