import type { Json } from "../../../core/canonical-json.ts";
import { TwelveError } from "../../../core/errors.ts";
import type { NewRun, RunEvent, RunKey, RunStatus } from "../../../ports/runs.ts";

/** A run with all that is recorded of it. */
export interface KeptRun {
  readonly run: NewRun;
  readonly submitted: Date;
  state: RunStatus["state"];
  /** A worker may take it. */
  isQueued: boolean;
  /** Since when, or when it last was. */
  queued: Date;
  finished?: Date;
  result?: Json;
  error?: unknown;
  readonly events: RunEvent[];
  /** Of what is told once. */
  readonly keys: Set<string>;
  /** By name, also those under way. */
  readonly steps: Map<string, Promise<Json>>;
  readonly attempts: Map<string, number>;
  /** Positions of the events that told that it is tried again later. */
  readonly rests: Set<number>;
  readonly waits: Map<string, { readonly askedAt: Date; decided?: { readonly decision: Json; readonly at: Date } }>;
  /** Aborted when it is cancelled. */
  readonly cancelling: AbortController;
}

/** The runs that several engines may work on, for as long as the process lives. */
export interface RunMemory {
  /** In the order in which they were submitted. */
  readonly runs: Map<string, KeptRun>;
  readonly now: () => Date;
  /** Beyond them, the oldest that are over are forgotten. */
  readonly mostRuns: number;
  /** Told of every change. */
  readonly listeners: Set<() => void>;
}

/** A process that serves for days must not fill the memory. */
const usualMostRuns = 10_000;

export function openRunMemory({ now = () => new Date(), mostRuns = usualMostRuns }: Partial<Pick<RunMemory, "now" | "mostRuns">> = {}): RunMemory {
  return { runs: new Map(), listeners: new Set(), now, mostRuns };
}

export function placeOf({ kind, group, id }: RunKey): string {
  return JSON.stringify([kind, group, id]);
}

/** The run of that key; the first that was submitted under it counts. */
export function keep(memory: RunMemory, run: NewRun): KeptRun {
  const { runs, now } = memory;
  const known = runs.get(placeOf(run));
  if (known !== undefined) return known;
  const submitted = now();
  const kept: KeptRun = { run: copyOf(run), submitted, state: "queued", isQueued: true, queued: submitted, events: [], keys: new Set(), steps: new Map(), attempts: new Map(), rests: new Set(), waits: new Map(), cancelling: new AbortController() };
  runs.set(placeOf(run), kept);
  forgetOldest(memory);
  return kept;
}

function forgetOldest({ runs, mostRuns }: RunMemory): void {
  if (runs.size <= mostRuns) return;
  for (const [place, kept] of runs) {
    if (!isOver(kept)) continue;
    runs.delete(place);
    if (runs.size <= mostRuns) return;
  }
}

export function queue(kept: KeptRun, queued: Date): void {
  Object.assign(kept, { isQueued: true, queued });
}

export function isOver({ state }: Pick<KeptRun, "state">): boolean {
  return state === "done" || state === "failed" || state === "cancelled";
}

/** Nothing is told of a run that is over. */
export function tell(kept: KeptRun, data: Json, at: Date): void {
  if (!isOver(kept)) kept.events.push({ position: kept.events.length + 1, at, data: copyOf(data) });
}

export function end(kept: KeptRun, state: "done" | "failed" | "cancelled", finished: Date): void {
  if (isOver(kept)) return;
  Object.assign(kept, { state, finished, isQueued: false });
  if (state === "cancelled") kept.cancelling.abort(new Error("The run was cancelled"));
}

export function statusOf({ run: { id, group, about }, submitted, state, finished, result, error, events }: KeptRun): RunStatus {
  return {
    id, group, about, state, submitted, position: events.length,
    ...(finished === undefined ? {} : { finished }),
    ...(result === undefined ? {} : { result }),
    ...(error === undefined ? {} : { failure: failureOf(error) }),
  };
}

function failureOf(error: unknown): NonNullable<RunStatus["failure"]> {
  if (error instanceof TwelveError) return { code: error.code, message: error.message, fix: error.fix, ...(error.retry === undefined ? {} : { afterMs: error.retry.afterMs }) };
  return { message: error instanceof Error ? error.message : String(error) };
}

/** As a database would give it back. */
export function copyOf<Value>(value: Value): Value {
  return structuredClone(value);
}
