import { schema } from "../../dbos/names.ts";
import type { Database } from "../../state/database.ts";
import { laterOutput } from "./later.ts";
import { waitingOutput } from "./wake.ts";

/** Ends a run that has left its process to come back, which counts as over for DBOS. */
export async function cancelAway({ pool }: Database, run: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE "${schema}".workflow_status status SET status = 'CANCELLED', completed_at = (EXTRACT(EPOCH FROM now()) * 1000)::bigint
       FROM "${schema}".workflow_output outcome
      WHERE status.workflow_uuid = $1 AND outcome.workflow_uuid = $1 AND status.status = 'SUCCESS' AND outcome.output = ANY ($2)`,
    [run, [waitingOutput, laterOutput]],
  );
  await pool.query(`DELETE FROM "${schema}".run_wait WHERE run = $1`, [run]);
  await pool.query(`DELETE FROM "${schema}".run_later WHERE run = $1`, [run]);
  return rowCount === 1;
}
