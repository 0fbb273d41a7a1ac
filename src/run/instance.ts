import type { Json } from "../core/canonical-json.ts";
import type { Parent } from "../ports/instance.ts";
import { withProcessMetrics } from "./metrics/exposition.ts";
import type { Family } from "./metrics/family.ts";
import type { Metrics } from "./metrics/record.ts";

/** What an instance does right now, and the work that waits for all of its type. */
export interface Load {
  readonly own: number;
  readonly waiting?: number;
}

/** What a process is to the one that started it, and nothing where nobody did. */
export interface Membership {
  /** Told once, when it has begun its work; notes are what a person should read. */
  readonly ready: (notes: readonly string[]) => void;
  /** The metrics of all instances of its type, this one's included. */
  readonly collectAll: (own: readonly Family[]) => Promise<readonly (readonly Family[])[]>;
  readonly close: () => void;
}

const tellEveryMs = 1000;
/** The others are given a second. */
const collectLimitMs = 2000;

export interface Member {
  readonly metrics: Metrics;
  readonly load: () => Load;
  /** How a process without a parent says that it is ready. */
  readonly note: (note: string) => void;
}

/** Tells the parent, where there is one, how much there is to do, and takes part in scrapes of what its type has in common. */
export function joinType(parent: Parent | undefined, { metrics, load, note }: Member): Membership {
  if (parent === undefined) return { ready: (notes) => notes.forEach(note), collectAll: (own) => Promise.resolve([own]), close: () => {} };
  const waiting = new Map<number, (all: readonly Json[]) => void>();
  let asked = 0;
  const timer = setInterval(() => parent.send({ kind: "load", ...load() }), tellEveryMs).unref();
  parent.onMessage((message) => {
    if (message.kind === "metrics-collected") return waiting.get(message.id)?.(message.all);
    void withProcessMetrics(metrics.families()).then((families) => parent.send({ kind: "metrics", id: message.id, families: families as unknown as Json }));
  });
  return {
    ready: (notes) => parent.send({ kind: "ready", notes }),
    async collectAll(own) {
      const id = (asked += 1);
      const others = await new Promise<readonly Json[]>((resolve) => {
        const late = setTimeout(resolve, collectLimitMs, []);
        waiting.set(id, (all) => {
          clearTimeout(late);
          resolve(all);
        });
        parent.send({ kind: "metrics-wanted", id });
      });
      waiting.delete(id);
      return [own, ...(others as unknown as readonly (readonly Family[])[])];
    },
    close: () => clearInterval(timer),
  };
}

/** What an event of an instance tells of it, beside what it tells of its type. */
export function instanceFacts(parent: Parent | undefined): object {
  return parent === undefined ? {} : { "twelve.instance": parent.name, "process.pid": process.pid };
}
