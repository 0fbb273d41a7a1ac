import type { Json } from "../../core/canonical-json.ts";
import type { FromInstance, Instance } from "../../ports/instance.ts";

/** Who does not say its numbers by then is missing in the sum. */
const limitMs = 1000;

export interface Collector {
  /** Gives one instance the numbers of the others of its type. */
  collect(asker: Instance, others: readonly Instance[], id: number): Promise<void>;
  /** Takes what an instance answers. */
  take(answer: Extract<FromInstance, { readonly kind: "metrics" }>): void;
}

/** Asks instances for their metrics, so that a scrape of a port that they share is about all of them. */
export function openCollector(): Collector {
  const waiting = new Map<number, (families: Json) => void>();
  let asked = 0;

  function ask(instance: Instance): Promise<Json | undefined> {
    const id = (asked += 1);
    return new Promise<Json | undefined>((resolve) => {
      const timer = setTimeout(resolve, limitMs, undefined);
      waiting.set(id, (families) => {
        clearTimeout(timer);
        resolve(families);
      });
      instance.send({ kind: "metrics-asked", id });
    }).finally(() => waiting.delete(id));
  }

  return {
    async collect(asker, others, id) {
      const answers = await Promise.all(others.map(ask));
      asker.send({ kind: "metrics-collected", id, all: answers.filter((families) => families !== undefined) });
    },
    take: ({ id, families }) => waiting.get(id)?.(families),
  };
}
