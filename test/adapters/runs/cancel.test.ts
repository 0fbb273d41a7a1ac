import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { openRuns } from "../../../src/adapters/runs/dbos/adapter.ts";
import { schema } from "../../../src/adapters/dbos/names.ts";
import { waitingOutput } from "../../../src/adapters/runs/dbos/wake.ts";
import { workflowId } from "../../../src/adapters/runs/dbos/workflow.ts";
import { type Database, openDatabase } from "../../../src/adapters/state/database.ts";

let folder = "";
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "twelve-cancel-"))));
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));

const run = { kind: "k", group: "g", id: "r", input: null, about: null };

/** A run that leaves its process between the two looks that a cancellation takes: away, then under way. */
async function leavingBetween(database: Database): Promise<void> {
  const id = workflowId(run);
  await database.pool.query(`INSERT INTO "${schema}".run_wait VALUES ($1, '')`, [id]);
  await database.pool.query(`INSERT INTO "${schema}".workflow_output (workflow_uuid, output) VALUES ($1, $2)`, [id, waitingOutput]);
  // Not seen as away yet; and what DBOS does about one under way comes too late.
  await database.pool.query(`UPDATE "${schema}".workflow_status SET status = 'PENDING' WHERE workflow_uuid = $1`, [id]);
  await database.pool.query(`CREATE FUNCTION "${schema}".leave() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.status = 'CANCELLED' AND OLD.status = 'PENDING' THEN NEW := OLD; NEW.status := 'SUCCESS'; END IF; RETURN NEW; END $$`);
  await database.pool.query(`CREATE TRIGGER leave BEFORE UPDATE ON "${schema}".workflow_status FOR EACH ROW EXECUTE FUNCTION "${schema}".leave()`);
}

it("cancels a run that leaves its process in the very moment", async () => {
  const engine = await openRuns("pglite:state", folder);
  onTestFinished(() => engine.close());
  await engine.submit(run);
  const database = await openDatabase("pglite:state", folder);
  onTestFinished(() => database.pool.end());
  await leavingBetween(database);
  expect(await engine.cancel(run)).toBe(true);
  expect(await engine.status(run)).toMatchObject({ state: "cancelled", finished: expect.any(Date) });
  const { rows } = await database.pool.query(`SELECT run FROM "${schema}".run_wait`);
  expect(rows).toEqual([]);
});
