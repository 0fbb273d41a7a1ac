import type { QueueDepth } from "../../../ports/queue.ts";
import type { Database } from "../../state/database.ts";
import { jobWorkflow, schema } from "../../dbos/names.ts";

/** Over jobs that are not done: a job has rows for its shards only once a worker has taken it. */
export async function readDepth({ pool }: Database, kind: string): Promise<QueueDepth> {
  const { rows } = await pool.query<Record<keyof QueueDepth, string>>(
    `SELECT coalesce(sum(greatest((job.attributes->>'shards')::int - shard.done - shard.running, CASE WHEN job.status = 'PENDING' OR shard.done > 0 THEN 0 ELSE 1 END)), 0) AS waiting,
            coalesce(sum(shard.running), 0) AS running
       FROM "${schema}".workflow_status job
      CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE status = 'SUCCESS') AS done, count(*) FILTER (WHERE status = 'PENDING') AS running
          FROM "${schema}".workflow_status WHERE parent_workflow_id = job.workflow_uuid) shard
      WHERE job.name = $1 AND job.attributes->>'kind' = $2 AND job.status IN ('ENQUEUED', 'DELAYED', 'PENDING')`,
    [jobWorkflow, kind],
  );
  return { waiting: Number(rows[0]?.waiting ?? 0), running: Number(rows[0]?.running ?? 0) };
}
