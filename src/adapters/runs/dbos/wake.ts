import { runWorkflow, schema } from "../../dbos/names.ts";
import type { Database } from "../../state/database.ts";

/** What a run that waits gave DBOS as its result: it has left its process, and comes back to the queue with the decision. */
export const waitingOutput = '{"waiting":true}';

export const askKey = (topic: string): string => `asked ${topic}`;
export const decisionKey = (topic: string): string => `decided ${topic}`;

/** Notes that a run is about to leave its process until everything that it asks is decided. */
export async function noteWait({ pool }: Database, run: string): Promise<void> {
  await pool.query(`INSERT INTO "${schema}".run_wait VALUES ($1, '') ON CONFLICT (run) DO NOTHING`, [run]);
}

export async function forgetWait({ pool }: Database, run: string): Promise<void> {
  await pool.query(`DELETE FROM "${schema}".run_wait WHERE run = $1`, [run]);
}

/**
 * Puts runs whose decisions have all come back into their queue: the one that was just decided on, or, with every pulse, those whose last
 * decision came in the very moment in which they left. They are replayed from their recorded steps.
 */
export async function wakeRuns({ pool }: Database, version: string, run?: string): Promise<void> {
  await pool.query(
    `WITH decided AS (
       DELETE FROM "${schema}".run_wait wait
        USING "${schema}".workflow_status status, "${schema}".workflow_output outcome
        WHERE status.workflow_uuid = wait.run AND status.status = 'SUCCESS' AND outcome.workflow_uuid = wait.run AND outcome.output = $2
          AND ($3::text IS NULL OR wait.run = $3)
          AND NOT EXISTS (SELECT 1 FROM "${schema}".run_event asked WHERE asked.run = wait.run AND starts_with(asked.key, '${askKey("")}')
            AND NOT EXISTS (SELECT 1 FROM "${schema}".run_event decision WHERE decision.run = wait.run AND decision.key = '${decisionKey("")}' || substr(asked.key, ${askKey("").length + 1})))
       RETURNING wait.run AS run)
     ${requeue("decided")}`,
    [version, waitingOutput, run ?? null],
  );
}

/** Back into its queue goes what that part of the statement gives; the version, its first value, takes it. */
export function requeue(part: string): string {
  return `UPDATE "${schema}".workflow_status
        SET status = 'ENQUEUED', queue_name = attributes->>'queue', application_version = $1, owner_xid = NULL, recovery_attempts = 0,
            started_at_epoch_ms = NULL, completed_at = NULL, updated_at = (EXTRACT(EPOCH FROM now()) * 1000)::bigint
      WHERE workflow_uuid IN (SELECT run FROM ${part}) AND status = 'SUCCESS'`;
}

/** Runs may outlive the version of the program that began them, and jobs do not: what nobody has taken for a while is for whoever is there. */
export async function adoptRuns({ pool }: Database, { version, lostMs }: { readonly version: string; readonly lostMs: number }): Promise<void> {
  await pool.query(
    `UPDATE "${schema}".workflow_status SET application_version = $1, updated_at = (EXTRACT(EPOCH FROM now()) * 1000)::bigint
      WHERE name = '${runWorkflow}' AND status = 'ENQUEUED' AND application_version <> $1 AND updated_at < (EXTRACT(EPOCH FROM now()) * 1000)::bigint - $2`,
    [version, lostMs],
  );
}
