import { hostname } from "node:os";
import { DBOS, DBOSClient } from "@dbos-inc/dbos-sdk";
import { DBOSExecutor } from "@dbos-inc/dbos-sdk/internal/dbos-executor";
import { registerInternalQueue } from "@dbos-inc/dbos-sdk/internal/wfqueue";
import type { JobHandler, WorkOptions } from "../../../ports/queue.ts";
import type { Database } from "../../state/database.ts";
import { openAttempts } from "./attempt.ts";
import { openTrouble, troubleLogger } from "./logger.ts";
import { application, executorOf, jobQueue, jsonSerializer, schema, shardQueue } from "./names.ts";
import { resign, startPulse } from "./pulse.ts";
import { registerWorkflows } from "./workflows.ts";

export interface Worker extends WorkOptions {
  readonly version: string;
  readonly lostMs: number;
  readonly handlers: Readonly<Record<string, JobHandler>>;
  readonly reopen: (session?: string) => Promise<Database>;
}

/** Jobs do little but wait for their shards, so a worker may have many. */
const jobsAtOnce = 100;
/** How often a worker looks for work: a shard that ends is followed by the next one within this time. */
const jobPollMs = 400;
const shardPollMs = 100;
/** How long steps that were told to stop may take to do so. */
const graceMs = 10_000;

/** Works until the signal is aborted. */
export async function work({ handlers, concurrency, signal, warn, version, lostMs, reopen }: Worker): Promise<void> {
  const executor = executorOf(hostname(), process.pid);
  const database = await reopen(executor);
  const tell = openTrouble(database.url, (message) => signal.aborted || warn(message));
  const logger = troubleLogger(tell);
  const pulse = await startPulse(database, { executor, lostMs, onFailure: (error) => tell((error as Error).message) });
  const client = await DBOSClient.create({ systemDatabaseUrl: "", systemDatabasePool: database.pool, systemDatabaseSchemaName: schema, serializer: jsonSerializer, applicationName: application, logger });
  const attempts = openAttempts(signal);
  for (const kind of Object.keys(handlers)) {
    // Queues of this process: a queue in the database would have one concurrency for all workers.
    registerInternalQueue(jobQueue(kind), { workerConcurrency: jobsAtOnce, minPollingIntervalMs: jobPollMs });
    registerInternalQueue(shardQueue(kind), { workerConcurrency: concurrency, minPollingIntervalMs: shardPollMs });
  }
  registerWorkflows({ database, client, handlers, attempts });
  DBOS.setConfig({
    name: application,
    applicationVersion: version,
    executorID: executor,
    systemDatabaseUrl: "postgres://twelve@localhost/twelve", // checked for its form; connections come from the pool
    systemDatabasePool: database.pool,
    systemDatabaseSchemaName: schema,
    serializer: jsonSerializer,
    logger,
    // A session's subscriptions are lost behind a pooler, and an embedded database has no sessions. Waiting is polling here.
    useListenNotify: false,
    runMigrations: false,
    listenQueues: [],
  });
  try {
    await DBOS.launch();
    await aborted(signal);
    // First no more work is taken, then what runs may end.
    await DBOSExecutor.globalInstance?.deactivateEventReceivers();
    await Promise.race([attempts.settled(), delay(graceMs)]);
  } finally {
    pulse.stop();
    // What still runs can record nothing from here on, in particular no failure because its database went away.
    await database.pool.end();
    await DBOS.shutdown({ deregister: true });
    await giveBackRest(await reopen(), executor, warn);
  }
}

/** A worker that cannot say goodbye is missed soon enough. */
async function giveBackRest(database: Database, executor: string, warn: (message: string) => void): Promise<void> {
  try {
    await resign(database, executor);
  } catch (error) {
    warn(`${database.url} could not be told that this worker stops; other workers will take over what it held: ${(error as Error).message}`);
  } finally {
    await database.pool.end();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
