import type { DBOSSerializer } from "@dbos-inc/dbos-sdk";

/** The application and the schema that hold all of ours in a database which others may use too. */
export const application = "twelve";
export const schema = "twelve";

/** Registered names of the two workflows; they are stored with every job. */
export const jobWorkflow = "job";
export const shardWorkflow = "shard";

/** Each kind has queues of its own: a worker takes only what it can do. */
export const jobQueue = (kind: string): string => `${kind}.job`;
export const shardQueue = (kind: string): string => `${kind}.shard`;

/** Sorts as the shards do, and says what a row belongs to. */
export const shardId = (job: string, index: number): string => `${job}#${String(index).padStart(6, "0")}`;

/** All that we keep is JSON: it stays readable in the database and needs no marks. */
export const jsonSerializer: DBOSSerializer = {
  name: () => "json",
  parse: (text) => (text === null || text === undefined ? null : (JSON.parse(text) as unknown)),
  stringify: (value) => JSON.stringify(value ?? null),
};
