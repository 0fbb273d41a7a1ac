import { patiently, type Waiting } from "../core/patience.ts";
import type { Embedder } from "../ports/embedding.ts";

/** Cosine of two texts that were embedded together. */
export type Similarity = (left: string, right: string) => number;

/** Embeds each different text once, in as few calls as the embedder takes. Fails with SERVICE_FAILED. */
export async function embedTexts(texts: Iterable<string>, embedder: Embedder, waiting: Waiting): Promise<Similarity> {
  const unique = [...new Set(texts)];
  const vectors = new Map<string, Float32Array>();
  for (let start = 0; start < unique.length; start += embedder.maxBatch) {
    const batch = unique.slice(start, start + embedder.maxBatch);
    // Answer and expectation are alike, so neither is sent as a query.
    const embedded = await patiently(() => embedder.embed(batch, "document", waiting.signal), waiting);
    for (const [i, text] of batch.entries()) {
      const vector = embedded[i];
      if (vector !== undefined) vectors.set(text, vector);
    }
  }
  return (left, right) => {
    const [a, b] = [vectors.get(left), vectors.get(right)];
    if (a === undefined || b === undefined) throw new Error("A text was compared that was not embedded");
    return cosine(a, b);
  };
}

/** 0 where a vector has no direction, as that of an empty text may. */
export function cosine(left: Float32Array, right: Float32Array): number {
  let product = 0;
  let leftSquares = 0;
  let rightSquares = 0;
  for (const [i, a] of left.entries()) {
    const b = right[i] ?? 0;
    product += a * b;
    leftSquares += a * a;
    rightSquares += b * b;
  }
  const lengths = Math.sqrt(leftSquares * rightSquares);
  return lengths === 0 ? 0 : product / lengths;
}
