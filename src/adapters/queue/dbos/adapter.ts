import type { JobQueue } from "../../../ports/queue.ts";
import { type ExecutorOptions, usualExecutor } from "../../dbos/executor.ts";
import { jobQueue, jobWorkflow } from "../../dbos/names.ts";
import { openService } from "../../dbos/service.ts";
import { openDatabase } from "../../state/database.ts";
import { readDepth } from "./depth.ts";
import { readJobs } from "./status.ts";

/** Opens `postgres://...` or `pglite:<folder>`; nothing is connected before the first call. */
export async function openQueue(reference: string, dir: string, options: ExecutorOptions = {}): Promise<JobQueue> {
  const { version, lostMs } = { ...usualExecutor, ...options };
  const { database, ask, client, check, close } = await openService(reference, dir);
  return {
    url: database.url,
    check,
    close,
    submit: ({ id, kind, input, shards }) =>
      ask(async () => {
        const enqueued = { workflowName: jobWorkflow, queueName: jobQueue(kind), workflowID: id, appVersion: version, attributes: { kind, shards: shards.length } };
        await (await client()).enqueue(enqueued, id, kind, input, shards);
      }),
    status: (id) => ask(async () => (await readJobs(database, { id }))[0]),
    list: (filter = {}) => ask(() => readJobs(database, filter)),
    depth: (kind) => ask(() => readDepth(database, kind)),
    cancel: (id) =>
      ask(async () => {
        const [job] = await readJobs(database, { id });
        if (job?.state !== "queued" && job?.state !== "running") return false;
        await (await client()).cancelWorkflow(id, { cancelChildren: true });
        return (await readJobs(database, { id }))[0]?.state === "cancelled";
      }),
    work: (handlers, working) =>
      ask(async () => {
        const { workOnJobs } = await import("./work.ts");
        await workOnJobs(handlers, { ...working, version, lostMs, reopen: (session) => openDatabase(reference, dir, session) });
      }),
  };
}
