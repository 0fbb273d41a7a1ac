import { z } from "zod";
import { defineCommand } from "../ports/command.ts";
import { findJob, JobReport, renderJobs, reportJob } from "./job-report.ts";
import { jobKind } from "./job-schema.ts";
import { openStateQueue } from "./state-queue.ts";

export default defineCommand({
  input: z.strictObject({
    job: z.string().optional().meta({ description: "ID of a job, as `twelve index --detach` prints it; the newest jobs otherwise", positional: true }),
    env: z.string().default("development").meta({ description: "Environment whose STATE_URL holds the queue", valueName: "name" }),
  }),
  output: z.strictObject({ queue: z.string(), jobs: z.array(JobReport).meta({ description: "Newest first" }) }),
  examples: ["twelve index status", "twelve index status index-docs-3f2a9c01b7de --env production --json"],

  async run({ job, env }, context) {
    const queue = await openStateQueue(context, env);
    try {
      const jobs = job === undefined ? await queue.list({ kind: jobKind, limit: 20 }) : [await findJob(queue, job)];
      return { queue: queue.url, jobs: jobs.map(reportJob) };
    } finally {
      await queue.close();
    }
  },

  render: ({ queue, jobs }) => (jobs.length === 0 ? `No index job on ${queue}. Make one: \`twelve index --detach\`` : renderJobs(jobs)),
});
