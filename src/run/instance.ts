import type { Json } from "../core/canonical-json.ts";
import type { FromInstance, Parent, ToInstance } from "../ports/instance.ts";
import type { TakeRequest } from "./http/key.ts";
import { lastMetrics, withProcessMetrics } from "./metrics/exposition.ts";
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
  /** Counts a request of a limited key together with those of the other instances, of whatever type; `alone` where nobody else counts. */
  readonly takeRequest: TakeRequest;
  /** Tells its last numbers, which stay in the sum. */
  readonly close: () => Promise<void>;
}

const tellEveryMs = 1000;
/** The others are given a second. */
const collectLimitMs = 2000;
const limitMs = 1000;

export interface Member {
  readonly metrics: Metrics;
  readonly load: () => Load;
  /** How a process without a parent says that it is ready. */
  readonly note: (note: string) => void;
  /** Called when it will soon be asked to stop. */
  readonly onStopAnnounced?: () => void;
}

/** Tells the parent, where there is one, how much there is to do, and takes part in what the processes of one `twelve run` have in common: the limits of keys, and those of a type their scrapes. */
export function joinType(parent: Parent | undefined, { metrics, load, note, onStopAnnounced }: Member): Membership {
  if (parent === undefined) return { ready: (notes) => notes.forEach(note), collectAll: (own) => Promise.resolve([own]), takeRequest: (_limit, alone) => alone(), close: () => Promise.resolve() };
  const ask = openQuestions(parent);
  const tell = (): void => void parent.send({ kind: "load", ...load() });
  parent.onMessage((message) => {
    if (message.kind === "stop-announced") onStopAnnounced?.();
    if (message.kind === "metrics-asked") void withProcessMetrics(metrics.families()).then((families) => parent.send({ kind: "metrics", id: message.id, families: families as unknown as Json }));
  });
  tell();
  const timer = setInterval(tell, tellEveryMs).unref();
  return {
    ready: (notes) => void parent.send({ kind: "ready", notes }),
    async collectAll(own) {
      const answer = await ask((id) => ({ kind: "metrics-wanted", id, families: own as unknown as Json }), collectLimitMs);
      return [own, ...(answer?.kind === "metrics-collected" ? (answer.all as unknown as readonly (readonly Family[])[]) : [])];
    },
    async takeRequest(limit, alone) {
      const answer = await ask((id) => ({ kind: "limit-asked", id, ...limit }), limitMs);
      return answer?.kind === "limit-told" ? answer.taken : alone();
    },
    async close() {
      clearInterval(timer);
      await parent.send({ kind: "metrics-last", families: (await lastMetrics(metrics.families())) as unknown as Json });
    },
  };
}

/** Asks the parent, and waits for the answer that has the same number, though not without end, and not for one that is gone. */
function openQuestions(parent: Parent): (question: (id: number) => FromInstance, limitMs: number) => Promise<ToInstance | undefined> {
  const waiting = new Map<number, (answer?: ToInstance) => void>();
  let asked = 0;
  let isLost = false;
  parent.onLost(() => {
    isLost = true;
    for (const answer of waiting.values()) answer();
  });
  parent.onMessage((message) => {
    if (message.kind === "metrics-collected" || message.kind === "limit-told") waiting.get(message.id)?.(message);
  });
  return async (question, waitMs) => {
    if (isLost) return undefined;
    const id = (asked += 1);
    const answer = await new Promise<ToInstance | undefined>((resolve) => {
      const late = setTimeout(resolve, waitMs, undefined);
      waiting.set(id, (found) => {
        clearTimeout(late);
        resolve(found);
      });
      void parent.send(question(id));
    });
    waiting.delete(id);
    return answer;
  };
}

/** What an event of an instance tells of it, beside what it tells of its type. */
export function instanceFacts(parent: Parent | undefined): object {
  return parent === undefined ? {} : { "twelve.instance": parent.name, "process.pid": process.pid };
}
