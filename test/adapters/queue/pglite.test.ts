import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, vi } from "vitest";
import { openQueue } from "../../../src/adapters/queue/dbos/adapter.ts";
import { describeQueue } from "../../ports/queue.contract.ts";
import { describeSurvival } from "./survival.ts";

let folder = "";
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "twelve-queue-"))));
// Its servers write until they see that their folders are gone.
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));

describeQueue("pglite", (options) => openQueue("pglite:state", folder, { version: "1", ...options }));
describeSurvival("an embedded database", () => `pglite:${join(folder, "survival")}`, async () => {
  // Between two servers there is none to kill.
  await vi.waitFor(async () => process.kill(Number(await readFile(join(folder, "survival", "server.pid"), "utf8")), "SIGKILL"), { timeout: 10_000 });
});
