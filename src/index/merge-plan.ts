import type { EmbeddingBatch } from "./schema.ts";

/** This many small batches become one, so that the list stays short and loading stays a matter of a few reads. */
const mergeFrom = 32;
const smallBytes = 32 * 1024 * 1024;

/** The batches that should become one: the first small ones, up to the size of a large one; none while they are few. */
export function planMerge(batches: readonly EmbeddingBatch[], dimensions: number): readonly EmbeddingBatch[] {
  const sizeOf = ({ count }: EmbeddingBatch): number => count * dimensions * 4;
  const small = batches.filter((batch) => sizeOf(batch) < smallBytes);
  if (small.length < mergeFrom) return [];
  let total = 0;
  return small.filter((batch) => (total += sizeOf(batch)) <= 2 * smallBytes);
}
