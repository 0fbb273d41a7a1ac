import { resumeRuns } from "../runs/dbos/later.ts";
import { adoptRuns, wakeRuns } from "../runs/dbos/wake.ts";
import type { Database } from "../state/database.ts";
import { application, executorPrefix, runWorkflow, schema } from "./names.ts";

export interface Pulse {
  stop(): void;
}

interface PulseOptions {
  readonly executor: string;
  readonly version: string;
  /** A worker that has not been seen for so long counts as lost. */
  readonly lostMs: number;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Says again and again that this worker lives, and gives the work of lost workers back to its queue: any worker does it for
 * all. DBOS itself recovers only what a process of the same name left behind. A worker that was merely slow does no harm:
 * what it still records is refused, because the work has another owner. Times are the database's: machines disagree.
 */
export async function startPulse(database: Database, { executor, version, lostMs, onFailure }: PulseOptions): Promise<Pulse> {
  const beat = async (): Promise<void> => {
    await database.pool.query(`INSERT INTO "${schema}".worker VALUES ($1, clock_timestamp()) ON CONFLICT (executor) DO UPDATE SET seen = excluded.seen`, [executor]);
    await database.pool.query(`DELETE FROM "${schema}".worker WHERE seen < clock_timestamp() - $1 * interval '1 ms'`, [lostMs]);
    await endLostTransactions(database);
    await giveBack(database, `executor_id NOT IN (SELECT executor FROM "${schema}".worker)`, []);
    await wakeRuns(database, version);
    await resumeRuns(database, version);
    await adoptRuns(database, { version, lostMs });
  };
  await beat();
  let isBeating = false;
  const timer = setInterval(() => {
    if (isBeating) return;
    isBeating = true;
    beat().catch(onFailure).finally(() => (isBeating = false));
  }, lostMs / 5);
  return { stop: () => clearInterval(timer) };
}

/** A machine that froze or lost its network in the middle of a transaction keeps its locks, which would hold up whoever takes over. */
async function endLostTransactions({ pool }: Database): Promise<void> {
  await pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND usename = current_user AND state LIKE 'idle in transaction%'
        AND application_name LIKE $1 AND application_name NOT IN (SELECT executor FROM "${schema}".worker)`,
    [`${executorPrefix}%`],
  );
}

/** Gives back what this worker still holds. */
export async function resign(database: Database, executor: string): Promise<void> {
  await database.pool.query(`DELETE FROM "${schema}".worker WHERE executor = $1`, [executor]);
  await giveBack(database, "executor_id = $1", [executor]);
}

/**
 * As DBOS does it for a process that starts again: the queue lets exactly one worker take each, and the old owner loses it.
 * A run that was begun in a process, without a queue, goes to the queue of its kind.
 */
async function giveBack({ pool }: Database, whose: string, values: readonly string[]): Promise<void> {
  await pool.query(
    `UPDATE "${schema}".workflow_status
        SET status = 'ENQUEUED', queue_name = coalesce(queue_name, attributes->>'queue'), owner_xid = NULL, started_at_epoch_ms = NULL, updated_at = (EXTRACT(EPOCH FROM now()) * 1000)::bigint
      WHERE status = 'PENDING' AND (queue_name IS NOT NULL OR name = '${runWorkflow}') AND application_name = '${application}' AND ${whose}`,
    [...values],
  );
}
