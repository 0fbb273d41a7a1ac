import type { Json } from "../core/canonical-json.ts";
import type { Checkable } from "./check.ts";
import type { QueueDepth } from "./queue.ts";

/**
 * Long work of many steps that outlives any process: each step is recorded once, and whoever takes a run over goes on behind the last
 * one. Any method may fail with the SERVICE_ codes.
 */
export interface RunEngine extends Checkable {
  /** Where it is, without credentials, for messages. */
  readonly url: string;
  /** Durable when it returns; no worker need be there. A run that is there already, in whatever state, stays as it is. */
  submit(run: NewRun): Promise<void>;
  /** As `submit`, and begins it in this process, which must be at work on its kind. `ended` resolves when it ends or waits, and rejects with why it failed. */
  start(run: NewRun): Promise<{ readonly ended: Promise<void> }>;
  status(run: RunKey): Promise<RunStatus | undefined>;
  /** Those of one group, newest first. */
  list(of: RunsOf, page: RunPage): Promise<readonly RunStatus[]>;
  /** Ends it for good; the step that runs is told by its signal. False when it is over, or there is none. */
  cancel(run: RunKey): Promise<boolean>;
  /** Gives the decision that counts: the first one. Undefined where the run never asked for it, or is over. */
  decide(run: RunKey, topic: string, decision: Json): Promise<Json | undefined>;
  /** What the run has told after that position, and what it tells until it is over; it waits for as long as that takes. */
  events(run: RunKey, options: { readonly after: number; readonly signal: AbortSignal }): AsyncIterable<RunEvent>;
  /** How many runs of a kind wait for a worker, are worked on, and wait for a decision. */
  depth(kind: string): Promise<RunDepth>;
  /**
   * Takes runs of the handlers' kinds until the signal is aborted. Then what runs is told by its signal, and what does not finish is
   * given back to other workers. At most one call at a time in a process.
   */
  work(handlers: Readonly<Record<string, RunHandler>>, options: RunWorkOptions): Promise<void>;
  /** Forgets all runs, and ends those that are not over. Only where runs last no longer than the process. */
  forget?(): void;
  close(): Promise<void>;
}

export interface RunsOf extends Omit<RunKey, "id"> {
  /** Also those of the groups that begin with this one and a space. */
  readonly isPrefix?: boolean;
}

export interface RunPage {
  readonly limit: number;
  /** The last one of the page before. */
  readonly before?: Pick<RunKey, "group" | "id"> | undefined;
  /** Only those in one of these states. */
  readonly states?: readonly RunStatus["state"][] | undefined;
  /** Of those that are done, only the ones whose handler gave null in that field, or something else. */
  readonly result?: { readonly field: string; readonly isNull: boolean } | undefined;
}

export interface RunDepth extends QueueDepth {
  /** How long the oldest of those that wait for a worker has been in the queue; 0 where none does. */
  readonly oldestMs: number;
  /** They take up no worker. */
  readonly undecided: number;
}

export interface RunKey {
  /** Names the handler: letters, digits, hyphens and underscores. */
  readonly kind: string;
  /** Whose run it is. Nothing of one group is ever found under the name of another. */
  readonly group: string;
  readonly id: string;
}

export interface NewRun extends RunKey {
  readonly input: Json;
  /** Small facts that its status repeats. */
  readonly about: Json;
}

export interface RunStatus {
  readonly id: string;
  readonly group: string;
  readonly about: Json;
  /** `waiting` is for a decision, and takes up no worker. */
  readonly state: "queued" | "running" | "waiting" | "done" | "failed" | "cancelled";
  readonly submitted: Date;
  readonly finished?: Date;
  /** Position of the last event; 0 where there is none. */
  readonly position: number;
  /** What the handler gave. */
  readonly result?: Json;
  /** Why it failed; `code` where the handler's failure had one, `afterMs` where the same may succeed later. */
  readonly failure?: { readonly code?: string; readonly message: string; readonly fix?: string; readonly afterMs?: number | null };
}

export interface RunEvent {
  /** From 1, without gaps in a run. */
  readonly position: number;
  readonly at: Date;
  readonly data: Json;
}

/** Calls must come in the same order for the same input and the same results of steps, so that another process can follow. */
export type RunHandler = (input: Json, run: OngoingRun) => Promise<Json>;

export interface OngoingRun {
  readonly id: string;
  readonly group: string;
  /**
   * Does the work once and records what it gives: whoever comes to this step later is given that. `begun` is told, durably, before each
   * attempt. Steps that are begun together run together.
   */
  readonly step: (name: string, begun: Readonly<Record<string, Json>>, work: (attempt: Attempt) => Promise<Json>, options?: StepOptions) => Promise<Json>;
  /** Tells an event, once under that key. */
  readonly tell: (key: string, data: Json) => Promise<void>;
  /**
   * Asks for decisions, each under its topic, and gives them, with how long all together were waited for. It does not return where one is missing yet: the run
   * leaves its process, and a process that goes on with it comes here again. `onAsked` is told of each that is asked for the first time.
   */
  readonly wait: (asked: Readonly<Record<string, Json>>, onAsked?: (topic: string) => void) => Promise<{ readonly decisions: Readonly<Record<string, Json>>; readonly waitedMs: number }>;
  /**
   * For a run that cannot go on here and now: it tells why and leaves its process, for another one or for later. It returns where that has been done
   * for as long as there is hope.
   */
  readonly postpone: (reason: Readonly<Record<string, Json>>) => Promise<void>;
  /** How long it has been away by `postpone` since it first told something else. */
  readonly restedMs: () => Promise<number>;
}

export interface Attempt {
  /** 1 for the first; more where an earlier one was begun, on whatever process, and nothing is known of its end. */
  readonly number: number;
  readonly signal: AbortSignal;
}

export interface StepOptions {
  /** A process that stops waits for the step for a while, where it would otherwise be ended and done again elsewhere. */
  readonly isFinished?: boolean;
}

export interface RunWorkOptions {
  /** Runs from the queue at a time in this process. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** Aborted, no more runs are taken from the queue; what runs goes on, and `start` begins runs still. */
  readonly taking?: AbortSignal;
  /** Told when it is at work. */
  readonly onReady: () => void;
  /** Told what the worker waits out by itself, such as a server that is away. */
  readonly warn: (message: string) => void;
}
