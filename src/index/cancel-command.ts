import { z } from "zod";
import { defineCommand } from "../ports/command.ts";
import { findJob } from "./job-report.ts";
import { withStateQueue } from "./state-queue.ts";

export default defineCommand({
  description: "Shards that wait never start, and those that run stop soon. What was embedded is kept, so a later run does not pay for it again. Nothing is published.",
  input: z.strictObject({
    job: z.string().meta({ description: "ID of the job", positional: true }),
    env: z.string().default("development").meta({ description: "Environment whose STATE_URL holds the queue", valueName: "name" }),
  }),
  output: z.strictObject({ job: z.string(), isCancelled: z.boolean().meta({ description: "false when it was over already" }), state: z.string() }),
  examples: ["twelve index cancel index-docs-3f2a9c01b7de"],

  run: ({ job, env }, context) =>
    withStateQueue(context, env, async ({ queue, kind }) => {
      const { id } = await findJob(queue, kind, job);
      const isCancelled = await queue.cancel(id);
      // Looked at once more: it may have ended in that very moment.
      const { state } = await findJob(queue, kind, id);
      return { job: id, isCancelled, state };
    }),

  render: ({ job, isCancelled, state }) => (isCancelled ? `Job ${job} is cancelled. What it embedded is kept` : `Job ${job} was ${state} already`),
});
