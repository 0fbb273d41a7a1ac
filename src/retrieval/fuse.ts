import type { VectorHit } from "../ports/vectors.ts";

/** Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009) with its usual constant. */
export function fuse(lists: readonly (readonly VectorHit[])[]): readonly VectorHit[] {
  const k = 60;
  const fused = new Map<string, VectorHit>();
  for (const list of lists) {
    for (const [rank, hit] of list.entries()) {
      fused.set(hit.id, { ...hit, score: (fused.get(hit.id)?.score ?? 0) + 1 / (k + rank + 1) });
    }
  }
  return [...fused.values()].sort((left, right) => right.score - left.score || (left.id < right.id ? -1 : 1));
}
