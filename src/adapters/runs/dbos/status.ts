import type { Json } from "../../../core/canonical-json.ts";
import type { RunDepth, RunKey, RunPage, RunsOf, RunStatus } from "../../../ports/runs.ts";
import { runQueue, runWorkflow, schema } from "../../dbos/names.ts";
import { failureOf } from "../../dbos/failure.ts";
import type { Database } from "../../state/database.ts";
import { laterOutput } from "./later.ts";
import type { Standing } from "./lookout.ts";
import { waitingOutput } from "./wake.ts";
import { workflowId } from "./workflow.ts";

interface RunRow {
  readonly id: string;
  readonly status: string;
  readonly state: RunStatus["state"];
  readonly attributes: { readonly about: Json; readonly group: string };
  readonly created_at: string;
  readonly completed_at: string | null;
  readonly output: string | null;
  readonly error: string | null;
  readonly position: number | null;
}

/** A run that went back to its queue because its worker was lost, or that is tried again later, goes on running. */
const state = `CASE
    WHEN status.status = 'SUCCESS' THEN CASE outcome.output WHEN '${waitingOutput}' THEN 'waiting' WHEN '${laterOutput}' THEN 'running' ELSE 'done' END
    WHEN status.status = 'CANCELLED' THEN 'cancelled'
    WHEN status.status = 'PENDING' THEN 'running'
    WHEN status.status IN ('ENQUEUED', 'DELAYED') THEN CASE WHEN EXISTS (SELECT 1 FROM "${schema}".run_event event WHERE event.run = status.workflow_uuid) THEN 'running' ELSE 'queued' END
    ELSE 'failed' END`;
const columns = `workflow_uuid AS id, status.status, ${state} AS state, status.attributes, status.created_at, status.completed_at, outcome.output, outcome.error,
  (SELECT max(position) FROM "${schema}".run_event event WHERE event.run = status.workflow_uuid) AS position`;
/** The result with other escapes: no text of PostgreSQL takes every character that JSON has. Whether something is null stays the same. */
const readable = String.raw`replace(outcome.output, '\u', '\n')`;
const from = `FROM "${schema}".workflow_status status LEFT JOIN "${schema}".workflow_output outcome USING (workflow_uuid) WHERE status.name = '${runWorkflow}'`;

export async function readRun({ pool }: Database, key: RunKey): Promise<RunStatus | undefined> {
  const { rows } = await pool.query<RunRow>(`SELECT ${columns} ${from} AND workflow_uuid = $1`, [workflowId(key)]);
  return rows[0] && statusOf(rows[0]);
}

export async function readRuns({ pool }: Database, { kind, group, isPrefix = false }: RunsOf, { limit, before, states, result }: RunPage): Promise<readonly RunStatus[]> {
  const ofGroup = isPrefix ? "(status.attributes->>'group' = $1 OR starts_with(status.attributes->>'group', $1 || ' '))" : "status.attributes->>'group' = $1";
  const { rows } = await pool.query<RunRow>(
    `SELECT ${columns} ${from} AND ${ofGroup} AND status.attributes->>'kind' = $2
        AND ($5::text[] IS NULL OR ${state} = ANY ($5))
        AND ($6::text IS NULL OR ${state} <> 'done' OR (${readable}::json #>> ARRAY['result', $6] IS NULL) = $7::boolean)
        AND ($3::text IS NULL OR (status.created_at, workflow_uuid) < (SELECT other.created_at, other.workflow_uuid FROM "${schema}".workflow_status other WHERE other.workflow_uuid = $3))
      ORDER BY status.created_at DESC, workflow_uuid DESC LIMIT $4`,
    [group, kind, before === undefined ? null : workflowId({ kind, ...before }), limit, states ?? null, result?.field ?? null, result?.isNull ?? null],
  );
  return rows.map(statusOf);
}

export async function readStandings({ pool }: Database, runs: readonly string[]): Promise<ReadonlyMap<string, Standing>> {
  const { rows } = await pool.query<Standing & { readonly id: string }>(
    `SELECT workflow_uuid AS id, coalesce((SELECT max(position) FROM "${schema}".run_event event WHERE event.run = status.workflow_uuid), 0) AS position,
            status.status <> ALL ('{ENQUEUED,DELAYED,PENDING}') AND (status.status <> 'SUCCESS' OR outcome.output IS DISTINCT FROM $2 AND outcome.output IS DISTINCT FROM $3) AS "isOver"
       ${from} AND workflow_uuid = ANY ($1)`,
    [runs, waitingOutput, laterOutput],
  );
  return new Map(rows.map(({ id, position, isOver }) => [id, { position, isOver }]));
}

export async function readDepth({ pool }: Database, kind: string): Promise<RunDepth> {
  const { rows } = await pool.query<Record<keyof RunDepth, string | null>>(
    `SELECT count(*) FILTER (WHERE status = 'ENQUEUED') AS waiting, count(*) FILTER (WHERE status = 'PENDING') AS running,
            EXTRACT(EPOCH FROM now()) * 1000 - min(updated_at) FILTER (WHERE status = 'ENQUEUED') AS "oldestMs",
            (SELECT count(*) FROM "${schema}".run_wait WHERE starts_with(run, $2)) AS undecided
       FROM "${schema}".workflow_status WHERE queue_name = $1 AND status IN ('ENQUEUED', 'PENDING')`, [runQueue(kind), `${encodeURIComponent(kind)}/`]);
  const [row] = rows;
  return { waiting: Number(row?.waiting ?? 0), running: Number(row?.running ?? 0), oldestMs: Math.max(0, Number(row?.oldestMs ?? 0)), undecided: Number(row?.undecided ?? 0) };
}

export function isOver({ state }: Pick<RunStatus, "state">): boolean {
  return state === "done" || state === "failed" || state === "cancelled";
}

function statusOf({ id, status, state, attributes: { about, group }, created_at, completed_at, output, error, position }: RunRow): RunStatus {
  const base: RunStatus = { id: decodeURIComponent(id.split("/")[2] ?? ""), group, about, state, submitted: new Date(Number(created_at)), position: position ?? 0 };
  const ended: RunStatus = completed_at === null || !isOver({ state }) ? base : { ...base, finished: new Date(Number(completed_at)) };
  if (state === "done") return { ...ended, result: (JSON.parse(output ?? "null") as { readonly result: Json }).result };
  return state === "failed" ? { ...ended, failure: failureOf(status, error) } : ended;
}
