import type { Json } from "../../../core/canonical-json.ts";
import type { JobStatus } from "../../../ports/queue.ts";
import { failureOf } from "../../dbos/failure.ts";
import { jobWorkflow, schema } from "../../dbos/names.ts";
import type { Database } from "../../state/database.ts";

export interface JobRow {
  readonly id: string;
  readonly status: string;
  readonly attributes: { readonly kind: string; readonly shards: number };
  readonly created_at: string;
  readonly completed_at: string | null;
  readonly output: string | null;
  readonly error: string | null;
  readonly done: string;
  readonly running: string;
}

export interface JobFilter {
  readonly id?: string;
  readonly kind?: string;
  readonly limit?: number;
}

export async function readJobs({ pool }: Database, { id, kind, limit = 100 }: JobFilter): Promise<readonly JobStatus[]> {
  const { rows } = await pool.query<JobRow>(
    `SELECT job.workflow_uuid AS id, job.status, job.attributes, job.created_at, job.completed_at, outcome.output, outcome.error, shard.done, shard.running
       FROM "${schema}".workflow_status job
       LEFT JOIN "${schema}".workflow_output outcome ON outcome.workflow_uuid = job.workflow_uuid
      CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE status = 'SUCCESS') AS done, count(*) FILTER (WHERE status = 'PENDING') AS running
          FROM "${schema}".workflow_status WHERE parent_workflow_id = job.workflow_uuid) shard
      WHERE job.name = $1 AND ($2::text IS NULL OR job.workflow_uuid = $2) AND ($3::text IS NULL OR job.attributes->>'kind' = $3)
      ORDER BY job.created_at DESC, job.workflow_uuid DESC LIMIT $4`,
    [jobWorkflow, id ?? null, kind ?? null, limit],
  );
  return rows.map((row) => statusOf(row));
}

export function statusOf({ id, status, attributes: { kind, shards: total }, created_at, completed_at, output, error, ...counts }: JobRow): JobStatus {
  const state = stateOf(status, Number(counts.done) + Number(counts.running) > 0);
  const shards = { done: Number(counts.done), running: state === "running" ? Number(counts.running) : 0, total };
  const base: JobStatus = { id, kind, state, submitted: new Date(Number(created_at)), shards };
  const ended: JobStatus = completed_at === null ? base : { ...base, finished: new Date(Number(completed_at)) };
  if (state === "done") return { ...ended, result: JSON.parse(output ?? "null") as Json };
  return state === "failed" ? { ...ended, failure: failureOf(status, error) } : ended;
}

/** A job that went back to its queue because its worker was lost goes on running. */
function stateOf(status: string, isBegun: boolean): JobStatus["state"] {
  if (status === "SUCCESS") return "done";
  if (status === "CANCELLED") return "cancelled";
  if (status === "PENDING") return "running";
  if (status === "ENQUEUED" || status === "DELAYED") return isBegun ? "running" : "queued";
  return "failed";
}
