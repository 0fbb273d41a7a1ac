import type { Json } from "../core/canonical-json.ts";
import type { Checkable } from "./check.ts";

/**
 * Work that outlives any process: a job is cut into shards, workers on any machine take them, and a last step joins their
 * results. Any method may fail with SERVICE_FAILED or SERVICE_DENIED.
 */
export interface JobQueue extends Checkable {
  /** Where it is, without credentials, for messages. */
  readonly url: string;
  /** Durable when it returns; no worker need be there. A job that is there already, in whatever state, stays as it is. */
  submit(job: Job): Promise<void>;
  status(id: string): Promise<JobStatus | undefined>;
  /** Newest first. */
  list(options?: { readonly kind?: string; readonly limit?: number }): Promise<readonly JobStatus[]>;
  /** How much of a kind there is to do. */
  depth(kind: string): Promise<QueueDepth>;
  /** Shards that wait never start, and those that run are told by their signal. False when the job is over, or there is none. */
  cancel(id: string): Promise<boolean>;
  /**
   * Takes jobs of the handlers' kinds, from workers of the same `version` only, until the signal is aborted. Then what runs is
   * told by its signal, and what does not finish is given back to other workers. At most one call at a time in a process.
   */
  work(handlers: Readonly<Record<string, JobHandler>>, options: WorkOptions): Promise<void>;
  close(): Promise<void>;
}

export interface Job {
  readonly id: string;
  /** Names the handler; letters, digits, hyphens and underscores. */
  readonly kind: string;
  /** What all shards share. Small, as are shards and results: bytes belong into the store, and their digests here. */
  readonly input: Json;
  readonly shards: readonly Json[];
}

export interface JobStatus {
  readonly id: string;
  readonly kind: string;
  readonly state: "queued" | "running" | "done" | "failed" | "cancelled";
  readonly submitted: Date;
  readonly finished?: Date;
  readonly shards: { readonly done: number; readonly running: number; readonly total: number };
  /** What `join` gave. */
  readonly result?: Json;
  /** Why it failed; `code` where the handler's failure had one. */
  readonly failure?: { readonly code?: string; readonly message: string; readonly fix?: string };
}

export interface QueueDepth {
  /** Shards that nobody has begun; a job without shards counts as one until it is begun. */
  readonly waiting: number;
  /** Shards that are being done, on whatever machine. */
  readonly running: number;
}

export interface JobHandler {
  /** May be called again for the same shard, on another machine and even at the same time, when a worker is lost: equal results are asked for. */
  shard(input: Json, shard: Json, options: { readonly signal: AbortSignal }): Promise<Json>;
  /** Gets the results in the order of the shards. May be called again, like `shard`. */
  join(input: Json, results: readonly Json[], options: { readonly signal: AbortSignal }): Promise<Json>;
}

/** How long steps that were told to stop may take to do so, before they are given back as they are. */
export const stepGraceMs = 10_000;

export interface WorkOptions {
  /** Shards at a time in this process. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** Told when it is at work. */
  readonly onReady: () => void;
  /** Told what the worker waits out by itself, such as a server that is away. */
  readonly warn: (message: string) => void;
}
