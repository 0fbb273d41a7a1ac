import { DBOSWorkflowConflictError } from "@dbos-inc/dbos-sdk/internal/error";
import { withDbRetry } from "@dbos-inc/dbos-sdk/internal/system_database";
import type { Json } from "../../../core/canonical-json.ts";
import type { RunEvent } from "../../../ports/runs.ts";
import { schema } from "../../dbos/names.ts";
import type { Database } from "../../state/database.ts";

/** What runs have told, a row each, numbered without gaps: whoever has read up to a position misses nothing behind it. */
const table = `"${schema}".run_event`;
const pageRows = 500;

interface Entry {
  readonly run: string;
  /** Taken once in a run. */
  readonly key: string;
  readonly data: Json;
}

/** Appends for the worker that has the run; false where the key is taken. A worker that lost the run is stopped here, before it does anything. */
export async function append(database: Database, executor: string, entry: Entry): Promise<boolean> {
  return insert(database, entry, { condition: "status = 'PENDING' AND executor_id = $4", value: executor, onRefused: () => { throw new DBOSWorkflowConflictError(entry.run); } });
}

/** Appends for somebody outside, while the run is not over; false where the key is taken or the run is over. */
export async function appendFromOutside(database: Database, entry: Entry): Promise<boolean> {
  return insert(database, entry, { condition: "status <> ALL ($4::text[])", value: ["CANCELLED", "ERROR"], onRefused: () => false });
}

interface Guard {
  readonly condition: string;
  readonly value: unknown;
  readonly onRefused: () => false;
}

async function insert({ pool }: Database, { run, key, data }: Entry, { condition, value, onRefused }: Guard): Promise<boolean> {
  const isAllowed = `EXISTS (SELECT 1 FROM "${schema}".workflow_status WHERE workflow_uuid = $1 AND ${condition})`;
  const text = JSON.stringify(data);
  for (;;) {
    const inserted = await withDbRetry(() =>
      pool.query(
        `INSERT INTO ${table} (run, position, key, data)
         SELECT $1, coalesce((SELECT max(position) FROM ${table} WHERE run = $1), 0) + 1, $2, $3 WHERE ${isAllowed} ON CONFLICT DO NOTHING`,
        [run, key, text, value],
      ));
    if (inserted.rowCount === 1) return true;
    const { rows } = await withDbRetry(() => pool.query<{ taken: boolean; allowed: boolean }>(`SELECT EXISTS (SELECT 1 FROM ${table} WHERE run = $1 AND key = $2) AS taken, EXISTS (SELECT 1 FROM "${schema}".workflow_status WHERE workflow_uuid = $1 AND ${condition.replace("$4", "$3")}) AS allowed`, [run, key, value]));
    if (rows[0]?.allowed !== true) return onRefused();
    if (rows[0].taken) return false;
    // Somebody else took the position in the same moment.
  }
}

/** Notes, before it is made, an attempt at a step, and gives its number. */
export async function appendAttempt(database: Database, executor: string, { run, step, data }: { readonly run: string; readonly step: string; readonly data: Readonly<Record<string, Json>> }): Promise<number> {
  for (;;) {
    const { rows } = await withDbRetry(() => database.pool.query<{ count: string }>(`SELECT count(*) FROM ${table} WHERE run = $1 AND starts_with(key, $2)`, [run, attemptKey(step, "")]));
    const attempt = Number(rows[0]?.count ?? 0) + 1;
    if (await append(database, executor, { run, key: attemptKey(step, attempt), data: { ...data, attempt } })) return attempt;
  }
}

export const attemptKey = (step: string, attempt: number | ""): string => `${step} begun ${attempt}`;

export async function readEvents({ pool }: Database, run: string, after: number): Promise<readonly RunEvent[]> {
  const { rows } = await pool.query<{ position: number; at: Date; data: string }>(`SELECT position, at, data FROM ${table} WHERE run = $1 AND position > $2 ORDER BY position LIMIT ${pageRows}`, [run, after]);
  return rows.map(({ position, at, data }) => ({ position, at, data: JSON.parse(data) as Json }));
}

export async function readEvent({ pool }: Database, run: string, key: string): Promise<RunEvent | undefined> {
  const { rows } = await withDbRetry(() => pool.query<{ position: number; at: Date; data: string }>(`SELECT position, at, data FROM ${table} WHERE run = $1 AND key = $2`, [run, key]));
  const [row] = rows;
  return row && { position: row.position, at: row.at, data: JSON.parse(row.data) as Json };
}
