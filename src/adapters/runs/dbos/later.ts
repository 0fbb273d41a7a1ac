import { schema } from "../../dbos/names.ts";
import type { Database } from "../../state/database.ts";
import { attemptKey } from "./ledger.ts";
import { requeue } from "./wake.ts";

/** What a run that is tried again later gave DBOS as its result. */
export const laterOutput = '{"later":true}';
/** Under which the ledger has each time that a run was postponed. */
export const laterStep = "postponed";

const longestPauseMs = 5 * 60_000;
/** From the first time on since it last went on. What is not there after so long is not coming with the rest of a deploy. */
const patienceMs = 60 * 60_000;

/** How long a run that was tried so often, since so long ago, rests now: longer each time. Undefined where there is no more hope. */
export function restMs({ tries, sinceMs, firstMs }: { readonly tries: number; readonly sinceMs: number; readonly firstMs: number }): number | undefined {
  return sinceMs >= patienceMs ? undefined : Math.min(longestPauseMs, firstMs * 2 ** tries);
}

/** When a run that cannot go on now is tried again; undefined where it has been tried for long enough, in a row. Times are the database's. */
export async function nextTry({ pool }: Database, run: string, firstMs: number): Promise<Date | undefined> {
  const { rows } = await pool.query<{ count: string; first: Date | null; now: Date }>(
    `SELECT count(*), min(at) AS first, clock_timestamp() AS now FROM "${schema}".run_event
      WHERE run = $1 AND position > coalesce((SELECT max(position) FROM "${schema}".run_event WHERE run = $1 AND NOT starts_with(key, $2)), 0)`,
    [run, attemptKey(laterStep, "")],
  );
  const [row] = rows;
  if (row === undefined) throw new Error("A count has a row");
  const nowMs = row.now.getTime();
  const pauseMs = restMs({ tries: Number(row.count), sinceMs: row.first === null ? 0 : nowMs - row.first.getTime(), firstMs });
  return pauseMs === undefined ? undefined : new Date(nowMs + pauseMs);
}

/** How long a run has rested since it first went on, up to now. */
export async function restedMs({ pool }: Database, run: string): Promise<number> {
  const { rows } = await pool.query<{ ms: string }>(
    `SELECT coalesce(sum(EXTRACT(EPOCH FROM until - at)), 0) * 1000 AS ms
       FROM (SELECT key, position, at, coalesce(lead(at) OVER (ORDER BY position), clock_timestamp()) AS until FROM "${schema}".run_event WHERE run = $1) told
      WHERE starts_with(key, $2) AND position > (SELECT min(position) FROM "${schema}".run_event WHERE run = $1 AND NOT starts_with(key, $2))`,
    [run, attemptKey(laterStep, "")],
  );
  return Number(rows[0]?.ms ?? 0);
}

/** Notes that a run is about to leave its process until then. */
export async function noteLater({ pool }: Database, run: string, at: Date): Promise<void> {
  await pool.query(`INSERT INTO "${schema}".run_later VALUES ($1, $2) ON CONFLICT (run) DO UPDATE SET at = excluded.at`, [run, at]);
}

/** Puts runs whose time has come back into their queue, where any process may take them. */
export async function resumeRuns({ pool }: Database, version: string): Promise<void> {
  await pool.query(
    `WITH due AS (
       DELETE FROM "${schema}".run_later later
        USING "${schema}".workflow_status status, "${schema}".workflow_output outcome
        WHERE status.workflow_uuid = later.run AND status.status = 'SUCCESS' AND outcome.workflow_uuid = later.run AND outcome.output = $2 AND later.at <= clock_timestamp()
       RETURNING later.run AS run)
     ${requeue("due")}`,
    [version, laterOutput],
  );
}
