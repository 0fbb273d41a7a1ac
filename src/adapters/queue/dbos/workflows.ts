import { setTimeout as sleep } from "node:timers/promises";
import { DBOS, type DBOSClient } from "@dbos-inc/dbos-sdk";
import { withDbRetry } from "@dbos-inc/dbos-sdk/internal/system_database";
import type { Json } from "../../../core/canonical-json.ts";
import type { JobHandler } from "../../../ports/queue.ts";
import type { Attempts } from "../../dbos/attempt.ts";
import { failureOf } from "../../dbos/failure.ts";
import { jobWorkflow, schema, shardId, shardQueue, shardWorkflow } from "../../dbos/names.ts";
import type { Database } from "../../state/database.ts";

interface WorkflowOptions {
  readonly database: Database;
  readonly client: DBOSClient;
  readonly handlers: ReadonlyMap<string, JobHandler>;
  readonly attempts: Attempts;
}

const lookMs = 250;
const isActive = "status IN ('PENDING', 'ENQUEUED', 'DELAYED')";
/** A job's own steps are light. A shard that takes so many workers down with it is given up before it takes them all. */
const jobRecoveries = 1000;
const shardRecoveries = 20;

/** Declares both workflows, before DBOS is launched. A job starts its shards, waits for them, and joins their results. */
export function registerJobs({ database, client, handlers, attempts }: WorkflowOptions): void {
  const shard = DBOS.registerWorkflow(
    async (job: string, kind: string, input: Json, content: Json): Promise<Json> =>
      attempts.run("shard", async (signal) => {
        await refuseOrphan(database, job);
        signal.throwIfAborted();
        return handlerOf(handlers, kind).shard(input, content, { signal });
      }),
    { name: shardWorkflow, maxRecoveryAttempts: shardRecoveries },
  );
  DBOS.registerWorkflow(
    async (job: string, kind: string, input: Json, shards: readonly Json[]): Promise<Json> => {
      for (const [index, content] of shards.entries()) {
        await DBOS.startWorkflow(shard, { workflowID: shardId(job, index), queueName: shardQueue(kind) })(job, kind, input, content);
      }
      await DBOS.runStep(() => waitForShards(database, client, job), { name: "wait" });
      return attempts.run("join", async (signal) => handlerOf(handlers, kind).join(input, await readResults(database, job), { signal }));
    },
    { name: jobWorkflow, maxRecoveryAttempts: jobRecoveries },
  );
}

function handlerOf(handlers: ReadonlyMap<string, JobHandler>, kind: string): JobHandler {
  const handler = handlers.get(kind);
  if (handler === undefined) throw new Error(`There is no handler for jobs of kind ${kind}`);
  return handler;
}

/** A job that was ended in the very moment in which it started this shard could not take it along. */
async function refuseOrphan({ pool }: Database, job: string): Promise<void> {
  const { rows } = await withDbRetry(() => pool.query<{ status: string }>(`SELECT status FROM "${schema}".workflow_status WHERE workflow_uuid = $1`, [job]));
  if (rows[0]?.status === "CANCELLED" || rows[0]?.status === "ERROR") throw Object.assign(new Error("The job is over"), { exit: 5 });
}

/** Returns when all are done. The first that fails ends the others, and is why the job fails. */
async function waitForShards({ pool }: Database, client: DBOSClient, job: string): Promise<void> {
  const cancelled = DBOS.stepStatus?.cancelSignal;
  for (;;) {
    cancelled?.throwIfAborted();
    const { rows } = await withDbRetry(() =>
      pool.query<{ active: boolean | null; failed: string | null }>(
        `SELECT bool_or(${isActive}) AS active, min(workflow_uuid) FILTER (WHERE status <> 'SUCCESS' AND NOT ${isActive}) AS failed
           FROM "${schema}".workflow_status WHERE parent_workflow_id = $1`, [job]));
    const { active, failed } = rows[0] ?? { active: null, failed: null };
    if (failed !== null) throw await endOthers(pool, client, job, failed);
    if (active !== true) return;
    await sleep(lookMs);
  }
}

/** Gives the reason of the one that failed. */
async function endOthers(pool: Database["pool"], client: DBOSClient, job: string, failed: string): Promise<Error> {
  const { rows: others } = await pool.query<{ id: string }>(`SELECT workflow_uuid AS id FROM "${schema}".workflow_status WHERE parent_workflow_id = $1 AND ${isActive}`, [job]);
  await client.cancelWorkflows(others.map(({ id }) => id));
  const { rows } = await pool.query<{ status: string; error: string | null }>(
    `SELECT status, outcome.error FROM "${schema}".workflow_status shard LEFT JOIN "${schema}".workflow_output outcome USING (workflow_uuid) WHERE workflow_uuid = $1`, [failed]);
  const { message, ...rest } = failureOf(rows[0]?.status ?? "", rows[0]?.error ?? null);
  return Object.assign(new Error(message), rest);
}

async function readResults({ pool }: Database, job: string): Promise<readonly Json[]> {
  const { rows } = await withDbRetry(() =>
    pool.query<{ output: string }>(
      `SELECT outcome.output FROM "${schema}".workflow_status shard JOIN "${schema}".workflow_output outcome USING (workflow_uuid)
        WHERE shard.parent_workflow_id = $1 ORDER BY shard.workflow_uuid`, [job]));
  return rows.map(({ output }) => JSON.parse(output) as Json);
}
