import { unlessAborted, untilAborted } from "../../../core/abort.ts";
import type { Json } from "../../../core/canonical-json.ts";
import { TwelveError } from "../../../core/errors.ts";
import type { RunEngine, RunHandler, RunStatus } from "../../../ports/runs.ts";
import { copyOf, end, isOver, keep, type KeptRun, openRunMemory, placeOf, queue, type RunMemory, statusOf, tell } from "./kept.ts";
import { givenBack, laterMs, leaving, ongoingRun, postponing, type Worker } from "./ongoing.ts";

/** `memory:`, or `memory:<time>` where every event is to have that time. */
export async function openRuns(reference: string): Promise<RunEngine> {
  const time = reference.slice("memory:".length);
  if (time === "") return openMemoryRuns();
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) throw new TwelveError("SERVICE_UNSUPPORTED", `${reference} names no time; write memory: alone, or a time such as memory:2026-01-01T00:00:00Z`);
  return openMemoryRuns(openRunMemory({ now: () => at }));
}

/** How long a worker that stops waits for steps that must be finished. What they give is lost with the process all the same. */
const usualGraceMs = 1000;

/** The port's promise in the fewest lines, for as long as the process lives: for mocks and for tests. */
export function openMemoryRuns(memory: RunMemory = openRunMemory(), { graceMs = usualGraceMs }: { readonly graceMs?: number } = {}): RunEngine {
  const { runs, now, listeners } = memory;
  let startHere: ((kept: KeptRun) => Promise<void>) | undefined;
  const changed = (): void => {
    for (const listener of listeners) listener();
  };

  /** Up to the run's end, or to where it waits or is given back; fails as the run does. */
  async function perform(kept: KeptRun, handler: RunHandler, stops: Pick<Worker, "stopping" | "ending">): Promise<void> {
    Object.assign(kept, { state: "running", isQueued: false });
    try {
      const result = await handler(copyOf(kept.run.input), ongoingRun(kept, { ...stops, now, changed }));
      if (isOver(kept)) return;
      kept.result = copyOf(result);
      end(kept, "done", now());
    } catch (error) {
      if (isOver(kept)) return;
      if (error === leaving && !isDecided(kept)) kept.state = "waiting";
      else if (error === leaving || error === givenBack) queue(kept, now());
      else if (error === postponing) again(kept);
      else {
        kept.error = error;
        end(kept, "failed", now());
        throw error;
      }
    } finally {
      changed();
    }
  }

  function again(kept: KeptRun): void {
    const take = (): void => {
      if (!isOver(kept)) queue(kept, now());
      changed();
    };
    setTimeout(take, laterMs).unref();
  }

  return {
    url: "memory:",
    check: () => Promise.resolve({ version: null }),
    close: () => Promise.resolve(),
    forget() {
      for (const kept of runs.values()) end(kept, "cancelled", now());
      runs.clear();
      changed();
    },
    async submit(run) {
      keep(memory, run);
      changed();
    },
    async start(run) {
      const begin = startHere;
      if (begin === undefined) throw new Error("This process does not work on runs");
      const kept = keep(memory, run);
      const ended = kept.isQueued ? begin(kept) : Promise.resolve();
      // Whoever does not wait for it finds its failure in its status.
      ended.catch(() => {});
      return { ended };
    },
    async status(run) {
      const kept = runs.get(placeOf(run));
      return kept && statusOf(kept);
    },
    async list({ kind, group, isPrefix = false }, { limit, before, states, result }) {
      const all = [...runs.values()].filter(({ run }) => run.kind === kind && (run.group === group || (isPrefix && run.group.startsWith(`${group} `)))).map(statusOf).toReversed();
      const start = before === undefined ? 0 : all.findIndex(({ id, group: own }) => id === before.id && own === before.group) + 1;
      const isWanted = (status: RunStatus): boolean =>
        (states?.includes(status.state) ?? true) && (result === undefined || status.state !== "done" || ((status.result as Readonly<Record<string, Json>> | null)?.[result.field] == null) === result.isNull);
      return all.slice(start).filter(isWanted).slice(0, limit);
    },
    async depth(kind) {
      const own = [...runs.values()].filter(({ run }) => run.kind === kind);
      const waiting = own.filter(({ isQueued }) => isQueued);
      const oldestMs = Math.max(0, ...waiting.map(({ queued }) => now().getTime() - queued.getTime()));
      return { waiting: waiting.length, running: own.filter(({ state, isQueued }) => state === "running" && !isQueued).length, undecided: own.filter(({ state }) => state === "waiting").length, oldestMs };
    },
    async cancel(run) {
      const kept = runs.get(placeOf(run));
      if (kept === undefined || isOver(kept)) return false;
      end(kept, "cancelled", now());
      changed();
      return true;
    },
    async decide(run, topic, decision) {
      const kept = runs.get(placeOf(run));
      const wait = kept?.waits.get(topic);
      if (kept === undefined || wait === undefined || (wait.decided === undefined && isOver(kept))) return undefined;
      if (wait.decided === undefined) {
        wait.decided = { decision: copyOf(decision), at: now() };
        tell(kept, decision, now());
        if (kept.state === "waiting" && isDecided(kept)) {
          kept.state = "running";
          queue(kept, now());
        }
        changed();
      }
      return copyOf(wait.decided.decision);
    },
    async *events(run, { after, signal }) {
      for (let position = after; ; ) {
        signal.throwIfAborted();
        const kept = runs.get(placeOf(run));
        if (kept === undefined) return;
        const news = kept.events.slice(position);
        yield* news.map(copyOf);
        position += news.length;
        if (isOver(kept) && position >= kept.events.length) return;
        if (news.length === 0) await nextChange(memory, signal);
      }
    },
    async work(handlers, { concurrency, signal, taking, onReady }) {
      const working = new Set<Promise<void>>();
      const ending = new AbortController();
      const begin = (kept: KeptRun): Promise<void> => {
        const handler = handlers[kept.run.kind];
        if (handler === undefined) throw new Error(`There is no handler for runs of kind ${kept.run.kind}`);
        const performing = perform(kept, handler, { stopping: signal, ending: ending.signal });
        const settled = performing.catch(() => {}).finally(() => {
          working.delete(settled);
          take();
        });
        working.add(settled);
        return performing;
      };
      const take = (): void => {
        for (const kept of runs.values()) {
          if (signal.aborted || taking?.aborted === true || working.size >= concurrency) return;
          if (kept.isQueued && Object.hasOwn(handlers, kept.run.kind)) begin(kept).catch(() => {});
        }
      };
      listeners.add(take);
      startHere = begin;
      onReady();
      take();
      await untilAborted(signal);
      listeners.delete(take);
      startHere = undefined;
      const timer = setTimeout(() => ending.abort(), graceMs);
      await Promise.race([Promise.all(working), untilAborted(ending.signal)]);
      clearTimeout(timer);
    },
  };
}

/** Also where the decisions came in the moment in which the run began to wait. */
function isDecided({ waits }: KeptRun): boolean {
  return [...waits.values()].every(({ decided }) => decided !== undefined);
}

async function nextChange({ listeners }: RunMemory, signal: AbortSignal): Promise<void> {
  const { promise: change, resolve } = Promise.withResolvers<void>();
  const onChange = (): void => resolve();
  listeners.add(onChange);
  try {
    await unlessAborted(() => change, signal);
  } finally {
    listeners.delete(onChange);
  }
}
