import { planScale, type Sample } from "./scale-plan.ts";
import type { Slot } from "./slot.ts";
import type { ProcessType } from "./type-plan.ts";

/** What is to change now. */
export interface ScaleChange {
  readonly from: number;
  readonly to: number;
  readonly load: number;
  /** Who is to end, where there are to be fewer. */
  readonly leaving: Slot | undefined;
}

/** What a process that is starting will take off the others is not known for so long; one that takes longer holds nothing up. */
const startingMs = 30_000;

/** Looks at the processes of a type again and again, and says when their number should change. */
export function openScaler({ kind, scale }: Pick<ProcessType, "kind" | "scale">): (slots: readonly Slot[], nowMs: number) => ScaleChange | undefined {
  let samples: readonly Sample[] = [];
  return (slots, nowMs) => {
    const running = slots.filter(({ isLeaving }) => !isLeaving);
    const ready = running.filter(({ readyMs }) => readyMs !== undefined);
    const isStarting = running.some(({ instance, readyMs, crashes, startedMs }) => instance !== undefined && readyMs === undefined && crashes === 0 && nowMs - startedMs < startingMs);
    if (isStarting || ready.length === 0) {
      samples = [];
      return undefined;
    }
    const load = kind === "work" ? Math.max(0, ...ready.map((slot) => slot.load?.waiting ?? 0)) : ready.reduce((sum, slot) => sum + (slot.load?.own ?? 0), 0);
    samples = [...samples, { atMs: nowMs, load }].slice(-100);
    const from = running.length;
    const to = planScale(scale, { running: from, ready: ready.length }, samples);
    if (to === from) return undefined;
    const [idlest] = running.toReversed().toSorted((left, right) => ownOf(left) - ownOf(right));
    // What a worker has begun would be begun anew elsewhere.
    if (to < from && (idlest === undefined || (kind === "work" && ownOf(idlest) > 0))) return undefined;
    samples = [];
    return { from, to, load, leaving: to < from ? idlest : undefined };
  };
}

function ownOf({ load }: Slot): number {
  return load?.own ?? 0;
}
