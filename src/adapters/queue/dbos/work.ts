import type { JobHandler, WorkOptions } from "../../../ports/queue.ts";
import { type Executing, withExecutor } from "../../dbos/executor.ts";
import { jobQueue, shardQueue } from "../../dbos/names.ts";

/** Jobs do little but wait for their shards, so a worker may have many. */
const jobsAtOnce = 100;
/** How often a worker looks for work: a shard that ends is followed by the next one within this time. */
const jobPollMs = 400;
const shardPollMs = 100;

/** Works until the signal is aborted. */
export function workOnJobs(handlers: Readonly<Record<string, JobHandler>>, options: WorkOptions & Executing): Promise<void> {
  return withExecutor(options, (executor) => {
    for (const [kind, handler] of Object.entries(handlers)) {
      executor.jobs.set(kind, handler);
      executor.listen(jobQueue(kind), { concurrency: jobsAtOnce, pollMs: jobPollMs });
      executor.listen(shardQueue(kind), { concurrency: options.concurrency, pollMs: shardPollMs });
    }
    options.onReady();
  });
}
