import { randomBytes } from "node:crypto";
import type { DBOSSerializer } from "@dbos-inc/dbos-sdk";

/** The application and the schema that hold all of ours in a database which others may use too. */
export const application = "twelve";
export const schema = "twelve";

/** Registered names of the workflows; they are stored with every job and run. */
export const jobWorkflow = "job";
export const shardWorkflow = "shard";
export const runWorkflow = "run";

/** Each kind has queues of its own: a worker takes only what it can do. */
export const jobQueue = (kind: string): string => `${kind}.job`;
export const shardQueue = (kind: string): string => `${kind}.shard`;

export const runQueue = (kind: string): string => `${kind}.run`;

/** Sorts as the shards do, and says what a row belongs to. */
export const shardId = (job: string, index: number): string => `${job}#${String(index).padStart(6, "0")}`;

export const executorPrefix = "twelve worker ";

/** A worker's own name, which its sessions have too: of at most 63 ASCII characters, all that Postgres keeps of a session's. */
export const executorOf = (host: string, pid: number): string => `${executorPrefix}${host.replaceAll(/[^\w.-]/g, "_").slice(0, 30)} ${pid} ${randomBytes(4).toString("hex")}`;

/** All that we keep is JSON: it stays readable in the database and needs no marks. */
export const jsonSerializer: DBOSSerializer = {
  name: () => "json",
  parse: (text) => (text === null || text === undefined ? null : (JSON.parse(text) as unknown)),
  stringify: (value) => JSON.stringify(value ?? null),
};
