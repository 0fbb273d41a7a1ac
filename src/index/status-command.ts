import { z } from "zod";
import { defineCommand } from "../ports/command.ts";
import { findJob, JobReport, renderJobs, reportJob } from "./job-report.ts";
import { withStateQueue } from "./state-queue.ts";

export default defineCommand({
  input: z.strictObject({
    job: z.string().optional().meta({ description: "ID of a job, as `twelve index --detach` prints it; the newest jobs otherwise", positional: true }),
    env: z.string().default("development").meta({ description: "Environment whose STATE_URL holds the queue", valueName: "name" }),
  }),
  output: z.strictObject({ queue: z.string(), jobs: z.array(JobReport).meta({ description: "Newest first" }) }),
  examples: ["twelve index status", "twelve index status index-docs-3f2a9c01b7de --env production --json"],

  run: ({ job, env }, context) =>
    withStateQueue(context, env, async ({ queue, kind }) => {
      const jobs = job === undefined ? await queue.list({ kind, limit: 20 }) : [await findJob(queue, kind, job)];
      return { queue: queue.url, jobs: jobs.map(reportJob) };
    }),

  render({ queue, jobs }, { job }) {
    if (jobs.length === 0) return `No index job on ${queue}. Make one: \`twelve index --detach\``;
    const [only] = jobs;
    const reason = job === undefined ? undefined : only?.failure?.message;
    return [renderJobs(jobs), ...(reason === undefined ? [] : ["", reason])].join("\n");
  },
});
