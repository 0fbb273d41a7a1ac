import type { Digest } from "../core/descriptor.ts";
import type { Publication } from "../index/schema.ts";
import { keyOf, type References } from "./references.ts";

/** A publication with how long ago things happened to it. */
export interface AgedPublication {
  readonly ref: string;
  readonly value: Publication;
  readonly unusedForMs: number;
  readonly silentForMs: number;
  /** For each of `left`, in its order. */
  readonly leftForMs: readonly number[];
}

export interface Verdict {
  readonly ref: string;
  readonly index: Digest;
  readonly name: string;
  readonly url: string;
  readonly namespace: string;
  /** Why it stays or goes. */
  readonly reason: string;
}

export interface GcPlan {
  readonly drop: readonly Verdict[];
  readonly keep: readonly Verdict[];
}

/** What is younger may be on its way into a release. */
export const graceMs = 24 * 60 * 60 * 1000;

/** What of each publication goes. A record that says nothing any more is left alone: a store has no way to delete a ref. */
export function planGc(publications: readonly AgedPublication[], references: References): GcPlan {
  const drop: Verdict[] = [];
  const keep: Verdict[] = [];
  for (const { ref, value, unusedForMs, silentForMs, leftForMs } of publications) {
    const { index, name, url, published, loading, left } = value;
    const verdict = (namespace: string, reason: string): Verdict => ({ ref, index: index.digest, name, url, namespace, reason });
    if (published !== null) {
      const needed = neededBy(references, index.digest, url);
      const reason = needed === undefined ? (unusedForMs < graceMs ? "used within a day" : undefined) : `needed by ${needed}`;
      (reason === undefined ? drop : keep).push(verdict(published.namespace, reason ?? "no activation refers to it"));
    }
    if (loading !== null) (silentForMs < graceMs ? keep : drop).push(verdict(loading.namespace, silentForMs < graceMs ? "being loaded" : "its loading was never finished"));
    for (const [i, { namespace }] of left.entries()) {
      const isYoung = (leftForMs[i] ?? 0) < graceMs;
      (isYoung ? keep : drop).push(verdict(namespace, isYoung ? "replaced within a day" : "replaced, or dropped before"));
    }
  }
  return { drop, keep };
}

/** What an index at a vector service is needed by. */
export function neededBy({ published, newest }: References, index: Digest, url: string): string | undefined {
  return published.get(keyOf(index, url)) ?? published.get(keyOf(index)) ?? newest.get(index);
}
