import { z } from "zod";
import { shortDigest } from "../core/descriptor.ts";
import { grouped } from "../core/counted.ts";
import { TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { formatTable } from "../core/table.ts";
import type { JobQueue, JobStatus } from "../ports/queue.ts";
import { formatUsd } from "./budget.ts";
import { JobResult } from "./job-schema.ts";

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
    // Another version of twelve may have said it in other words.
    result: JobResult.safeParse(result).data ?? null,
    failure: failure === undefined ? null : { code: failure.code ?? null, message: failure.message, fix: failure.fix ?? null },
  };
}

/** The job of that ID, or the newest one. Fails with JOB_NOT_FOUND. */
export async function findJob(queue: JobQueue, kind: string, id: string | undefined): Promise<JobStatus> {
  const found = id === undefined ? (await queue.list({ kind, limit: 1 }))[0] : await queue.status(id);
  if (found?.kind === kind) return found;
  if (id === undefined) throw new TwelveError("JOB_NOT_FOUND", `${queue.url} has no index job`, { fix: "Make one with `twelve index --detach`; look at STATE_URL and `--env`, too" });
  const names = (await queue.list({ kind, limit: 20 })).map((job) => job.id);
  throw new TwelveError("JOB_NOT_FOUND", `${queue.url} has no index job "${id}".${didYouMean(id, names)} Newest: ${names.slice(0, 3).join(", ") || "none"}`);
}

const longestNote = 100;

/** One line for each job. */
export function renderJobs(jobs: readonly JobReport[]): string {
  const rows = jobs.map(({ job, state, shards, submittedAt, result, failure }) => [
    job,
    state,
    `${shards.done}/${shards.total}${shards.running > 0 ? `, ${shards.running} running` : ""}`,
    submittedAt.replace(/\.\d+Z$/, "Z"),
    result === null ? shortened(failure?.message ?? "") : `${shortDigest(result.digest)}, ${grouped(result.documents)} documents`,
  ]);
  return formatTable(["JOB", "STATE", "SHARDS", "SUBMITTED", ""], rows);
}

/** All of a job that is over; one that is not says how far it is. */
export function renderJob(report: JobReport, env: string): string {
  const { result, state, job, shards } = report;
  if (result === null) return state === "queued" || state === "running" ? `Job ${job} is ${state}: ${shards.done} of ${shards.total} shards are done` : "";
  const cost = result.costUsd === 0 ? "" : result.costUsd === null ? " at a price that is not known" : ` for about ${formatUsd(result.costUsd)}`;
  return [
    `Job ${job} made index ${shortDigest(result.digest)}`,
    `  ${grouped(result.documents)} documents, ${grouped(result.chunks)} chunks; ${grouped(result.embedded)} texts embedded${cost}${durationOf(report)}`,
    ...(result.skipped === 0 ? [] : [`  Skipped ${grouped(result.skipped)}: \`twelve index show ${shortDigest(result.digest)}\` lists them`]),
    `Next: twelve release --env ${env}`,
  ].join("\n");
}

function durationOf({ submittedAt, finishedAt }: JobReport): string {
  return finishedAt === null ? "" : `; ${((Date.parse(finishedAt) - Date.parse(submittedAt)) / 1000).toFixed(1)} s after it was submitted`;
}

function shortened(text: string): string {
  return text.length <= longestNote ? text : `${text.slice(0, longestNote - 1)}…`;
}
