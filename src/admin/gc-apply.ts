import { TwelveError } from "../core/errors.ts";
import { changePublication } from "../index/publication.ts";
import type { Publication } from "../index/schema.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import type { VectorService } from "../ports/vectors.ts";
import { type AgedPublication, graceMs, neededBy, type Verdict } from "./gc-plan.ts";
import type { References } from "./references.ts";

interface Tools {
  readonly store: Store;
  readonly clock: Clock;
  /** By URL. */
  readonly services: ReadonlyMap<string, VectorService>;
  /** Reads the references anew. */
  readonly references: () => Promise<References>;
}

export interface GcDone {
  readonly dropped: readonly Verdict[];
  /** What was to be dropped and stays: it came into use meanwhile, or the service failed. */
  readonly spared: readonly Verdict[];
  readonly failures: readonly string[];
}

/**
 * First every record says that the namespace is no longer published, so that no release takes it from here on; a release that took it before
 * has marked it as used, which is seen now. Then the activations are read once more, and only after that does anything go.
 */
export async function applyGc({ store, clock, services, references }: Tools, drop: readonly Verdict[]): Promise<GcDone> {
  const withdrawn: { readonly verdict: Verdict; readonly before: Publication["published"] }[] = [];
  const spared: Verdict[] = [];
  for (const verdict of drop) {
    const nowMs = clock.now().getTime();
    let before: Publication["published"] = null;
    const changed = await changePublication(store, verdict.ref, (value) => {
      before = value.published;
      return withoutNamespace(value, verdict.namespace, nowMs);
    });
    if (changed === undefined) spared.push({ ...verdict, reason: "came into use meanwhile" });
    else withdrawn.push({ verdict, before });
  }
  const now = await references();
  const dropped: Verdict[] = [];
  const failures: string[] = [];
  for (const { verdict, before } of withdrawn) {
    const needed = before?.namespace === verdict.namespace ? neededBy(now, verdict.index, verdict.url) : undefined;
    if (needed !== undefined && (await changePublication(store, verdict.ref, (value) => restored(value, before))) !== undefined) {
      spared.push({ ...verdict, reason: `needed by ${needed}` });
      continue;
    }
    try {
      await services.get(verdict.url)?.drop(verdict.namespace);
      await changePublication(store, verdict.ref, (value) => ({ ...value, left: value.left.filter(({ namespace }) => namespace !== verdict.namespace) }));
      dropped.push(verdict);
    } catch (error) {
      // It stays in the record, and the next run tries again.
      if (!(error instanceof TwelveError)) throw error;
      spared.push({ ...verdict, reason: "the service failed" });
      failures.push(error.message);
    }
  }
  return { dropped, spared, failures: [...new Set(failures)] };
}

/** The publication as it stands, and how old everything in it is. */
export function aged(ref: string, value: Publication, nowMs: number): AgedPublication {
  const since = (at: string): number => nowMs - Date.parse(at);
  return { ref, value, unusedForMs: since(value.usedAt), silentForMs: value.loading === null ? 0 : since(value.loading.at), leftForMs: value.left.map(({ at }) => since(at)) };
}

/** undefined where it came into use again. What is withdrawn stays named in the record until it is gone. */
function withoutNamespace(value: Publication, namespace: string, nowMs: number): Publication | undefined {
  const { unusedForMs, silentForMs } = aged("", value, nowMs);
  const leave = (at: string): Publication["left"] => [...value.left, { namespace, at }];
  if (value.published?.namespace === namespace) return unusedForMs < graceMs ? undefined : { ...value, published: null, left: leave(value.usedAt) };
  if (value.loading?.namespace === namespace) return silentForMs < graceMs ? undefined : { ...value, loading: null, left: leave(value.loading.at) };
  return value.left.some((each) => each.namespace === namespace) ? value : undefined;
}

/** undefined where another namespace was published meanwhile. */
function restored(value: Publication, published: Publication["published"]): Publication | undefined {
  return value.published === null ? { ...value, published, left: value.left.filter(({ namespace }) => namespace !== published?.namespace) } : undefined;
}
