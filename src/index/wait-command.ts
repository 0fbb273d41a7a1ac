import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { TwelveError } from "../core/errors.ts";
import { failures } from "../core/failures.ts";
import { defineCommand } from "../ports/command.ts";
import type { JobStatus } from "../ports/queue.ts";
import { findJob, JobReport, renderJobs, reportJob } from "./job-report.ts";
import { openStateQueue } from "./state-queue.ts";

const lookMs = 500;

export default defineCommand({
  description: "Waits until the job is done. Ends with 6 when it failed, with 3 when it was cancelled or did not end in time.",
  input: z.strictObject({
    job: z.string().optional().meta({ description: "ID of the job; the newest otherwise", positional: true }),
    env: z.string().default("development").meta({ description: "Environment whose STATE_URL holds the queue", valueName: "name" }),
    timeout: z.number().min(0).optional().meta({ description: "Longest time to wait, in seconds; for ever by default", valueName: "seconds" }),
  }),
  output: JobReport,
  examples: ["twelve index wait", "twelve index wait index-docs-3f2a9c01b7de --timeout 600"],

  async run({ job, env, timeout }, context) {
    const { story, signal, clock } = context;
    const queue = await openStateQueue(context, env);
    const progress = story.progress("Shards done");
    const endMs = timeout === undefined ? Number.POSITIVE_INFINITY : clock.monotonicMs() + timeout * 1000;
    try {
      let status: JobStatus = await findJob(queue, job);
      const { id } = status;
      while (isOpen(status) && clock.monotonicMs() < endMs) {
        progress.update(status.shards.done, status.shards.total);
        await sleep(lookMs, undefined, { signal });
        status = await findJob(queue, id);
      }
      return reportJob(status);
    } finally {
      progress.stop();
      await queue.close();
    }
  },

  render: (report) => renderJobs([report]),

  verdict({ job, state, failure }) {
    if (state === "done") return undefined;
    if (state !== "failed") return { exit: 3, message: `Job ${job} is ${state}` };
    const known = failure?.code != null && Object.hasOwn(failures, failure.code) ? failures[failure.code as TwelveError["code"]] : undefined;
    return { exit: known?.exit ?? failures.SERVICE_FAILED.exit, message: `Job ${job} failed: ${failure?.message ?? "no reason was given"}${failure?.fix == null ? "" : `. Fix: ${failure.fix}`}` };
  },
});

function isOpen({ state }: JobStatus): boolean {
  return state === "queued" || state === "running";
}
