import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { openRuns } from "../../../src/adapters/runs/dbos/adapter.ts";
import { describeRuns } from "../../ports/runs.contract.ts";

let folder = "";
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "twelve-runs-"))));
// Its servers write until they see that their folders are gone.
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));

describeRuns("pglite", (options) => openRuns("pglite:state", folder, { version: "1", lostMs: 2000, ...options }));
