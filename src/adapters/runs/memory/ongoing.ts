import { eitherOf } from "../../../core/abort.ts";
import type { OngoingRun } from "../../../ports/runs.ts";
import { copyOf, isOver, type KeptRun, tell } from "./kept.ts";

/** Thrown through the handler: the run waits for a decision. */
export const leaving = new Error("The run waits for a decision");
/** The same: its worker stops, and another may go on. */
export const givenBack = new Error("The worker of the run stops");

/** The same: it is tried again after a while. */
export const postponing = new Error("The run is tried again later");
export const laterMs = 1000;
/** Nothing comes in a process that was not there for so long. */
const mostRests = 60;

export interface Worker {
  /** Aborted when the worker stops. */
  readonly stopping: AbortSignal;
  /** Aborted when it waits no longer for steps that must be finished. */
  readonly ending: AbortSignal;
  readonly now: () => Date;
  readonly changed: () => void;
}

/** A run as its handler sees it. What is recorded already is given again. */
export function ongoingRun(kept: KeptRun, { stopping, ending, now, changed }: Worker): OngoingRun {
  const told = (data: Parameters<OngoingRun["tell"]>[1]): void => {
    tell(kept, data, now());
    changed();
  };
  return {
    id: kept.run.id,
    group: kept.run.group,
    async step(name, begun, work, { isFinished = false } = {}) {
      const known = kept.steps.get(name);
      if (known !== undefined) return copyOf(await known);
      kept.cancelling.signal.throwIfAborted();
      if (stopping.aborted) throw givenBack;
      const number = (kept.attempts.get(name) ?? 0) + 1;
      kept.attempts.set(name, number);
      told({ ...begun, attempt: number });
      const { signal, leave } = eitherOf(kept.cancelling.signal, isFinished ? ending : stopping);
      const working = work({ number, signal }).catch((error: unknown) => {
        if (!signal.aborted || isOver(kept)) throw error;
        // Broken off by the stop, it is done again elsewhere.
        kept.steps.delete(name);
        throw givenBack;
      }).finally(leave);
      kept.steps.set(name, working);
      return copyOf(await working);
    },
    async tell(key, data) {
      if (kept.keys.has(key)) return;
      kept.keys.add(key);
      told(data);
    },
    async wait(asked, onAsked) {
      for (const [topic, question] of Object.entries(asked)) {
        if (kept.waits.has(topic)) continue;
        kept.waits.set(topic, { askedAt: now() });
        told(question);
        onAsked?.(topic);
      }
      const waits = Object.keys(asked).map((topic) => ({ topic, ...kept.waits.get(topic) }));
      const decided = waits.flatMap(({ topic, askedAt, decided: made }) => (askedAt === undefined || made === undefined ? [] : [{ topic, askedAt, ...made }]));
      if (decided.length < waits.length) throw leaving;
      const waitedMs = Math.max(0, ...decided.map(({ at }) => at.getTime())) - Math.min(...decided.map(({ askedAt }) => askedAt.getTime()));
      return { decisions: Object.fromEntries(decided.map(({ topic, decision }) => [topic, copyOf(decision)])), waitedMs };
    },
    async postpone(reason) {
      if (restsInARow(kept) === mostRests) return;
      told({ ...reason, attempt: kept.rests.size + 1, again_at: new Date(now().getTime() + laterMs).toISOString() });
      kept.rests.add(kept.events.length);
      throw postponing;
    },
    restedMs: () => Promise.resolve(restedMsOf(kept, now())),
  };
}

/** Up to now, since it last went on. */
function restsInARow({ rests, events }: KeptRun): number {
  let count = 0;
  while (rests.has(events.length - count)) count += 1;
  return count;
}

/** The rests before it first went on do not count. */
function restedMsOf({ rests, events }: KeptRun, now: Date): number {
  const first = events.findIndex(({ position }) => !rests.has(position));
  return events.reduce((sum, { position, at }, index) => (first !== -1 && index > first && rests.has(position) ? sum + (events[index + 1]?.at ?? now).getTime() - at.getTime() : sum), 0);
}
