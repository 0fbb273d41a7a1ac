import { hostname } from "node:os";
import { DBOS, DBOSClient } from "@dbos-inc/dbos-sdk";
import { DBOSExecutor } from "@dbos-inc/dbos-sdk/internal/dbos-executor";
import { registerInternalQueue, wfQueueRunner } from "@dbos-inc/dbos-sdk/internal/wfqueue";
import { untilAborted } from "../../core/abort.ts";
import manifest from "../../../package.json" with { type: "json" };
import { type JobHandler, stepGraceMs } from "../../ports/queue.ts";
import type { RunHandler } from "../../ports/runs.ts";
import { registerJobs } from "../queue/dbos/workflows.ts";
import { registerRuns, type StartRun } from "../runs/dbos/workflow.ts";
import type { Database } from "../state/database.ts";
import { type Attempts, openAttempts } from "./attempt.ts";
import { openTrouble, troubleLogger } from "./logger.ts";
import { application, executorOf, jsonSerializer, schema } from "./names.ts";
import { resign, startPulse } from "./pulse.ts";

export interface ExecutorOptions {
  /** Jobs are done by workers of the version that submitted them. */
  readonly version?: string;
  /** A worker that has not been heard of for so long is lost, and its work goes to others. */
  readonly lostMs?: number;
}

export const usualExecutor: Required<ExecutorOptions> = { version: manifest.version, lostMs: 8000 };

export interface Executing extends Required<ExecutorOptions> {
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
  readonly reopen: (session?: string) => Promise<Database>;
}

/** What does the work of this process. Handlers are looked up when their work comes. */
export interface Executor {
  readonly name: string;
  readonly database: Database;
  readonly client: DBOSClient;
  readonly attempts: Attempts;
  readonly jobs: Map<string, JobHandler>;
  readonly runs: Map<string, RunHandler>;
  readonly startRun: StartRun;
  /** Takes work from the queue from now on, so much of it at a time in this process. */
  listen(queue: string, options: { readonly concurrency: number; readonly pollMs: number }): void;
  /** Takes no more from it; what was taken goes on. */
  leave(queue: string): void;
}

interface Shared {
  readonly opened: Promise<Executor & { readonly stop: () => Promise<void>; readonly end: () => Promise<void> }>;
  members: number;
}

let shared: Shared | undefined;

/**
 * Works until the signal is aborted. DBOS is one to a process, so jobs and runs share it: the first who works starts it, and it
 * ends with the last. Whoever leaves first ends the taking of new work for all, since a process stops as a whole.
 */
export async function withExecutor(options: Executing, join: (executor: Executor) => void): Promise<void> {
  shared ??= { opened: launch(options), members: 0 };
  const current = shared;
  current.members += 1;
  const leave = (): boolean => {
    current.members -= 1;
    if (current.members > 0) return false;
    if (shared === current) shared = undefined;
    return true;
  };
  try {
    const executor = await current.opened;
    join(executor);
    await untilAborted(options.signal);
    await executor.stop();
  } finally {
    if (leave()) await (await current.opened.catch(() => undefined))?.end();
  }
}

async function launch({ version, lostMs, reopen, warn, signal }: Executing): Promise<Awaited<Shared["opened"]>> {
  const name = executorOf(hostname(), process.pid);
  const database = await reopen(name);
  const stopping = new AbortController();
  const tell = openTrouble(database.url, (message) => signal.aborted || warn(message));
  const logger = troubleLogger(tell);
  const pulse = await startPulse(database, { executor: name, version, lostMs, onFailure: (error) => tell((error as Error).message) });
  const client = await DBOSClient.create({ systemDatabaseUrl: "", systemDatabasePool: database.pool, systemDatabaseSchemaName: schema, serializer: jsonSerializer, applicationName: application, logger });
  const attempts = openAttempts(stopping.signal);
  const [jobs, runs] = [new Map<string, JobHandler>(), new Map<string, RunHandler>()];
  registerJobs({ database, client, handlers: jobs, attempts });
  const startRun = registerRuns({ database, executor: name, lostMs, handlers: runs, attempts });
  DBOS.setConfig({
    name: application,
    applicationVersion: version,
    executorID: name,
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

  /** First no more work is taken, then what runs may end. */
  const stop = async (): Promise<void> => {
    stopping.abort();
    await DBOSExecutor.globalInstance?.deactivateEventReceivers();
    await Promise.race([attempts.settled(), delay(stepGraceMs)]);
  };
  const end = async (): Promise<void> => {
    pulse.stop();
    // What still runs can record nothing from here on, in particular no failure because its database went away.
    await database.pool.end();
    await DBOS.shutdown({ deregister: true });
    await giveBackRest(await reopen(), name, warn);
  };
  try {
    await DBOS.launch();
  } catch (error) {
    await end();
    throw error;
  }
  return { name, database, client, attempts, jobs, runs, startRun, listen, leave, stop, end };
}

/** Queues of this process: a queue in the database would have one concurrency for all workers. */
function listen(name: string, { concurrency, pollMs }: { readonly concurrency: number; readonly pollMs: number }): void {
  const queue = registerInternalQueue(name, { workerConcurrency: concurrency, minPollingIntervalMs: pollMs });
  // Those of a process are looked at once by DBOS, when it is launched; its loop goes over what is here.
  const { ensureState } = wfQueueRunner as unknown as { readonly ensureState: (added: typeof queue, nowMs: number) => void };
  ensureState.call(wfQueueRunner, queue, Date.now());
}

function leave(name: string): void {
  (wfQueueRunner as unknown as { readonly states: Map<string, unknown> }).states.delete(name);
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

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
