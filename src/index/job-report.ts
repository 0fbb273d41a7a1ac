import { z } from "zod";
import { TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { formatTable } from "../core/table.ts";
import type { JobQueue, JobStatus } from "../ports/queue.ts";
import { JobResult, jobKind } from "./job-schema.ts";

/** How far a job is. */
export const JobReport = z.strictObject({
  job: z.string(),
  state: z.enum(["queued", "running", "done", "failed", "cancelled"]),
  submittedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
  shards: z.strictObject({ done: z.int(), running: z.int(), total: z.int() }),
  result: JobResult.nullable(),
  failure: z.strictObject({ code: z.string().nullable(), message: z.string(), fix: z.string().nullable() }).nullable(),
});
export type JobReport = z.infer<typeof JobReport>;

export function reportJob({ id, state, submitted, finished, shards, result, failure }: JobStatus): JobReport {
  return {
    job: id,
    state,
    submittedAt: submitted.toISOString(),
    finishedAt: finished?.toISOString() ?? null,
    shards: { ...shards },
    result: result === undefined ? null : JobResult.parse(result),
    failure: failure === undefined ? null : { code: failure.code ?? null, message: failure.message, fix: failure.fix ?? null },
  };
}

/** The job of that ID, or the newest one. Fails with JOB_NOT_FOUND. */
export async function findJob(queue: JobQueue, id: string | undefined): Promise<JobStatus> {
  const recent = await queue.list({ kind: jobKind, limit: 20 });
  const found = id === undefined ? recent[0] : await queue.status(id);
  if (found !== undefined && found.kind === jobKind) return found;
  const names = recent.map((job) => job.id);
  const what = id === undefined ? "The queue has no index job" : `The queue has no index job "${id}".${didYouMean(id, names)} Newest: ${names.slice(0, 3).join(", ") || "none"}`;
  throw new TwelveError("JOB_NOT_FOUND", `${what} (${queue.url})`);
}

export function renderJobs(jobs: readonly JobReport[]): string {
  const rows = jobs.map(({ job, state, shards, submittedAt, result, failure }) => [
    job,
    state,
    `${shards.done}/${shards.total}${shards.running > 0 ? `, ${shards.running} running` : ""}`,
    submittedAt.replace(/\.\d+Z$/, "Z"),
    result === null ? (failure?.message ?? "") : `${result.digest.slice("sha256:".length, 19)}  ${result.documents.toLocaleString("en-US")} documents, ${result.chunks.toLocaleString("en-US")} chunks`,
  ]);
  return formatTable(["JOB", "STATE", "SHARDS", "SUBMITTED", ""], rows);
}
