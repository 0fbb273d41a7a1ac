import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { prepareTables } from "../../../src/adapters/dbos/prepare.ts";
import { schema } from "../../../src/adapters/dbos/names.ts";
import { nextTry, restMs } from "../../../src/adapters/runs/dbos/later.ts";
import { type Database, openDatabase } from "../../../src/adapters/state/database.ts";

let folder = "";
let database: Database;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "twelve-later-"));
  database = await openDatabase("pglite:state", folder);
  await prepareTables(database);
});
afterAll(async () => {
  await database.pool.end();
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
});

/** A run that has told so much, so many minutes ago. */
async function told(run: string, events: readonly (readonly [key: string, minutesAgo: number])[]): Promise<void> {
  for (const [index, [key, minutesAgo]] of events.entries()) {
    await database.pool.query(`INSERT INTO "${schema}".run_event (run, position, key, at, data) VALUES ($1, $2, $3, clock_timestamp() - make_interval(mins => $4), '{}')`, [run, index + 1, key, minutesAgo]);
  }
}

async function restSecondsOf(run: string): Promise<number | undefined> {
  const at = await nextTry(database, run, 8000);
  return at && Math.round((at.getTime() - Date.now()) / 1000);
}

it("lets a run rest longer each time, and gives it up after an hour", () => {
  expect([0, 1, 2, 20].map((tries) => restMs({ tries, sinceMs: 0, firstMs: 8000 }))).toEqual([8000, 16_000, 32_000, 300_000]);
  expect(restMs({ tries: 3, sinceMs: 3_599_999, firstMs: 8000 })).toBe(64_000);
  expect(restMs({ tries: 3, sinceMs: 3_600_000, firstMs: 8000 })).toBeUndefined();
});

it("has as much hope as ever for a run that went on since it last rested", async () => {
  await told("new", []);
  await told("resting", [["start begun 1", 40], ["postponed begun 1", 30], ["postponed begun 2", 20]]);
  await told("given up", [["start begun 1", 90], ["postponed begun 1", 61], ["postponed begun 2", 20]]);
  await told("went on", [["postponed begun 1", 1500], ["postponed begun 2", 1490], ["start begun 1", 1480], ["asked call_1_1", 1470], ["decided call_1_1", 0]]);
  await told("went on and rests", [["postponed begun 1", 1500], ["start begun 1", 1480], ["postponed begun 2", 1]]);
  expect(await restSecondsOf("new")).toBeCloseTo(8, -1);
  expect(await restSecondsOf("resting")).toBeCloseTo(32, -1);
  expect(await restSecondsOf("given up")).toBeUndefined();
  expect(await restSecondsOf("went on")).toBeCloseTo(8, -1);
  expect(await restSecondsOf("went on and rests")).toBeCloseTo(16, -1);
});
