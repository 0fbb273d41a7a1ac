import type { KnownEvent } from "./event.ts";

/** A session as its events tell it. */
export interface History {
  readonly life: string;
  /** Each goes on from the one before it. */
  readonly events: readonly KnownEvent[];
  readonly last: KnownEvent;
  /** Older events are there, and not all that lie between: the list is late, or one was deleted by others. */
  readonly isBroken: boolean;
}

/** The first of the lives that are neither over nor being deleted; undefined where there is none. */
export function readHistory(events: readonly KnownEvent[], nowMs: number): History | undefined {
  const sorted = events.toSorted(byTime);
  const lives = new Set(sorted.map(({ life }) => life));
  for (const life of lives) {
    const history = readLife(life, sorted.filter((event) => event.life === life));
    if (history !== undefined && (history.last.expiresMs === null || history.last.expiresMs > nowMs)) return history;
  }
  return undefined;
}

/** Sorted by time. The memory lets events go that are older than it keeps any: what is left then is the end of the session. */
function readLife(life: string, events: readonly KnownEvent[]): History | undefined {
  if (events.some(({ isEnd }) => isEnd)) return undefined;
  // Of two that go on from the same version, which a service that keeps its word does not have, the first one counts.
  const counted = events.filter((event, index) => events.findIndex(({ from }) => from === event.from) === index).toSorted((left, right) => left.version - right.version);
  const last = counted.at(-1);
  if (last === undefined) return undefined;
  const chain = [last];
  for (let before = predecessor(counted, last); before !== undefined; before = predecessor(counted, before)) chain.unshift(before);
  const oldest = chain[0]?.version ?? 0;
  return { life, events: chain, last, isBroken: counted.some(({ version }) => version < oldest) };
}

function predecessor(events: readonly KnownEvent[], { from }: KnownEvent): KnownEvent | undefined {
  return from === 0 ? undefined : events.find(({ version }) => version === from);
}

/** As the memory orders them, whose IDs break a tie. */
function byTime(left: KnownEvent, right: KnownEvent): number {
  return left.atMs - right.atMs || (left.eventId < right.eventId ? -1 : 1);
}
