import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type FailureCode, TwelveError } from "../core/errors.ts";
import { failures } from "../core/failures.ts";
import { defineCommand } from "../ports/command.ts";
import type { JobStatus } from "../ports/queue.ts";
import { findJob, JobReport, renderJob, reportJob } from "./job-report.ts";
import { withStateQueue } from "./state-queue.ts";

const lookMs = 500;
/** Workers that are there take what waits in well under this time. */
const lonelyMs = 5000;
/** Jobs take hours, and a database that starts again takes a moment. */
const patienceMs = 60_000;

export default defineCommand({
  description: "Waits until the job is done. One that failed ends with the exit code of its failure, which is 6 for most; with 3 when it was cancelled or did not end in time.",
  input: z.strictObject({
    job: z.string().optional().meta({ description: "ID of the job; the newest otherwise", positional: true }),
    env: z.string().default("development").meta({ description: "Environment whose STATE_URL holds the queue", valueName: "name" }),
    timeout: z.number().min(0).optional().meta({ description: "Longest time to wait, in seconds; for ever by default", valueName: "seconds" }),
  }),
  output: JobReport,
  examples: ["twelve index wait", "twelve index wait index-docs-3f2a9c01b7de --timeout 600"],

  run: ({ job, env, timeout }, context) =>
    withStateQueue(context, env, async ({ queue, kind }) => {
      const { story, signal, clock } = context;
      const startMs = clock.monotonicMs();
      const endMs = timeout === undefined ? Number.POSITIVE_INFINITY : startMs + timeout * 1000;
      let status = await findJob(queue, kind, job);
      let busyMs = startMs;
      let isLonelyTold = false;
      let doneBefore: number | undefined;
      let awaySinceMs: number | undefined;
      const progress = story.progress("Shards done");
      try {
        while (isOpen(status) && clock.monotonicMs() < endMs) {
          // Each look is not news: where no line moves, every update may become one of its own.
          if (status.shards.done !== doneBefore) progress.update(status.shards.done, status.shards.total);
          doneBefore = status.shards.done;
          if (isTaken(status)) busyMs = clock.monotonicMs();
          else if (!isLonelyTold && clock.monotonicMs() - busyMs >= lonelyMs) {
            isLonelyTold = true;
            story.warn(`No worker is at the job. It takes one of this version, with \`--env ${env}\`, the same STATE_URL and the same store`);
          }
          await sleep(Math.min(lookMs, Math.max(0, endMs - clock.monotonicMs())), undefined, { signal });
          try {
            status = await findJob(queue, kind, status.id);
            awaySinceMs = undefined;
          } catch (error) {
            if (!(error instanceof TwelveError) || error.retry === undefined) throw error;
            if (awaySinceMs === undefined) story.warn(`${error.message}. Waiting for it`);
            awaySinceMs ??= clock.monotonicMs();
            if (clock.monotonicMs() - awaySinceMs >= patienceMs) throw error;
          }
        }
      } finally {
        progress.stop();
      }
      return reportJob(status);
    }),

  render: (report, { env }) => renderJob(report, env),

  verdict({ job, state, failure }) {
    if (state === "done") return undefined;
    if (state !== "failed") return { exit: 3, message: `Job ${job} is ${state}` };
    const known = failure?.code != null && Object.hasOwn(failures, failure.code) ? failures[failure.code as FailureCode] : failures.SERVICE_FAILED;
    return { exit: known.exit, message: `Job ${job} failed: ${failure?.message ?? "no reason was given"}\nFix: ${failure?.fix ?? known.fix}` };
  },
});

function isOpen({ state }: JobStatus): boolean {
  return state === "queued" || state === "running";
}

/** When all shards are done, the last step runs. */
function isTaken({ state, shards: { done, running, total } }: JobStatus): boolean {
  return state === "running" && (running > 0 || done === total);
}
