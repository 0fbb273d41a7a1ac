import type { Json } from "../../core/canonical-json.ts";
import type { FromInstance, Instance } from "../../ports/instance.ts";
import type { Family } from "../metrics/family.ts";
import { addCounts, countsOf } from "../metrics/sum.ts";

/** Who does not say its numbers by then is in the sum with those that it said last. */
const limitMs = 1000;

export interface Collector {
  /** Takes what an instance says about its numbers. `others` are those of its type that can be asked. */
  hear(message: FromInstance, asker: Instance, others: () => readonly Instance[]): void;
  /** What it counted stays in the sum. */
  gone(instance: Instance): void;
}

/** Asks instances for their metrics, so that a scrape of a port that they share is about all of them, and about those before them: a count that fell would look like a start. */
export function openCollector(): Collector {
  const waiting = new Map<number, () => void>();
  const last = new Map<Instance, readonly Family[]>();
  let past: readonly Family[] = [];
  let asked = 0;

  async function ask(instance: Instance): Promise<void> {
    const id = (asked += 1);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      waiting.set(id, () => {
        clearTimeout(timer);
        resolve();
      });
      instance.send({ kind: "metrics-asked", id });
      // It will not answer any more.
      void instance.ended.then(() => waiting.get(id)?.());
    });
    waiting.delete(id);
  }

  async function collect(asker: Instance, others: readonly Instance[], id: number): Promise<void> {
    await Promise.all(others.map(ask));
    // Read in one moment: one that ended meanwhile is in what is past, and no longer here.
    const answers = others.map((instance) => last.get(instance) ?? []);
    asker.send({ kind: "metrics-collected", id, all: [past, ...answers].filter((families) => families.length > 0) as unknown as readonly Json[] });
  }

  return {
    hear(message, asker, others) {
      if (message.kind !== "metrics" && message.kind !== "metrics-wanted" && message.kind !== "metrics-last") return;
      last.set(asker, message.families as unknown as readonly Family[]);
      if (message.kind === "metrics") waiting.get(message.id)?.();
      if (message.kind === "metrics-wanted") void collect(asker, others(), message.id);
    },
    gone(instance) {
      past = addCounts(past, countsOf(last.get(instance) ?? []));
      last.delete(instance);
    },
  };
}
