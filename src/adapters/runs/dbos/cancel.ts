import { schema } from "../../dbos/names.ts";
import type { Database } from "../../state/database.ts";
import { laterOutput } from "./later.ts";
import { waitingOutput } from "./wake.ts";

/** Ends a run that has left its process to come back, which counts as over for DBOS. False for one that has not left. */
export async function cancelAway({ pool }: Database, run: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE "${schema}".workflow_status status SET status = 'CANCELLED', completed_at = (EXTRACT(EPOCH FROM now()) * 1000)::bigint
       FROM "${schema}".workflow_output outcome
      WHERE status.workflow_uuid = $1 AND outcome.workflow_uuid = $1 AND status.status = 'SUCCESS' AND outcome.output = ANY ($2)`,
    [run, [waitingOutput, laterOutput]],
  );
  return rowCount === 1;
}

/** Forgets what would bring back a run that is cancelled. That of one that goes on stays: it may be about to leave its process, and would never be found again. */
export async function forgetCancelled({ pool }: Database, run: string): Promise<void> {
  for (const table of ["run_wait", "run_later"]) {
    await pool.query(`DELETE FROM "${schema}".${table} WHERE run = $1 AND EXISTS (SELECT 1 FROM "${schema}".workflow_status WHERE workflow_uuid = $1 AND status = 'CANCELLED')`, [run]);
  }
}
