import { describe, expect, it } from "vitest";
import { findJob, renderJob, renderJobs, reportJob } from "../../src/index/job-report.ts";
import { JobReport } from "../../src/index/job-report.ts";
import type { JobStatus } from "../../src/ports/queue.ts";
import { memoryQueue } from "../helpers/memory-queue.ts";

const digest = `sha256:${"ab".repeat(32)}`;
const result = { digest, documents: 1200, chunks: 3400, embedded: 3400, costUsd: 0.068, skipped: 0 };
const queued: JobStatus = { id: "index-docs-1", kind: "index_app_development", state: "queued", submitted: new Date(0), shards: { done: 0, running: 0, total: 4 } };
const done: JobStatus = { ...queued, state: "done", finished: new Date(61_500), shards: { done: 4, running: 0, total: 4 }, result };
const failed: JobStatus = { ...queued, state: "failed", finished: new Date(1000), failure: { code: "SERVICE_FAILED", message: `is away ${"again ".repeat(30)}`, fix: "Wait" } };

describe("the report on a job", () => {
  it("is what its schema says, in every state", () => {
    for (const status of [queued, done, failed]) expect(JobReport.parse(reportJob(status))).toEqual(reportJob(status));
    expect(reportJob(done)).toEqual({
      job: "index-docs-1", state: "done", submittedAt: "1970-01-01T00:00:00.000Z", finishedAt: "1970-01-01T00:01:01.500Z",
      shards: { done: 4, running: 0, total: 4 }, result, failure: null,
    });
    expect(reportJob({ ...queued, state: "failed", failure: { message: "lost" } })).toMatchObject({ finishedAt: null, failure: { code: null, message: "lost", fix: null } });
  });

  it("leaves out a result that another version of twelve wrote", () => {
    expect(reportJob({ ...done, result: { index: digest, pages: 3 } })).toMatchObject({ state: "done", result: null });
  });

  it("is a line in the list of jobs, however long its failure is", () => {
    const running: JobStatus = { ...queued, state: "running", shards: { done: 1, running: 2, total: 4 } };
    expect(renderJobs([running, done, failed].map(reportJob)).split("\n")).toEqual([
      "JOB           STATE    SHARDS          SUBMITTED",
      "index-docs-1  running  1/4, 2 running  1970-01-01T00:00:00Z",
      "index-docs-1  done     4/4             1970-01-01T00:00:00Z  abababababab, 1,200 documents",
      expect.stringMatching(/^index-docs-1 {2}failed {3}0\/4 {13}1970-01-01T00:00:00Z {2}is away again .{80,86}…$/),
    ]);
  });

  it("says what was made, what it cost, and what comes next", () => {
    expect(renderJob(reportJob({ ...done, result: { ...result, skipped: 2 } }), "staging").split("\n")).toEqual([
      "Job index-docs-1 made index abababababab",
      "  1,200 documents, 3,400 chunks; 3,400 texts embedded for about $0.068; 61.5 s after it was submitted",
      "  Skipped 2: `twelve index show abababababab` lists them",
      "Next: twelve release --env staging",
    ]);
    expect(renderJob(reportJob(queued), "staging")).toBe("Job index-docs-1 is queued: 0 of 4 shards are done");
    expect(renderJob(reportJob(failed), "staging")).toBe("");
  });
});

describe("finding a job", () => {
  async function queueWith(...ids: readonly string[]): Promise<ReturnType<typeof memoryQueue>> {
    const queue = memoryQueue();
    for (const id of ids) await queue.submit({ id, kind: "index_app_development", input: null, shards: [] });
    await queue.submit({ id: "other", kind: "index_app_production", input: null, shards: [] });
    return queue;
  }

  it("gives the newest when none is named", async () => {
    expect(await findJob(await queueWith("index-docs-1", "index-docs-2"), "index_app_development", undefined)).toMatchObject({ id: "index-docs-2" });
  });

  it("says what there is when it is not there, or is of another environment", async () => {
    const queue = await queueWith("index-docs-1", "index-docs-2");
    await expect(findJob(queue, "index_app_development", "index-docs-3")).rejects.toMatchObject({
      code: "JOB_NOT_FOUND", message: 'postgres://queue.test/state has no index job "index-docs-3". Did you mean "index-docs-2"? Newest: index-docs-2, index-docs-1',
    });
    await expect(findJob(queue, "index_app_development", "other")).rejects.toMatchObject({ code: "JOB_NOT_FOUND" });
    await expect(findJob(await queueWith(), "index_app_development", undefined)).rejects.toMatchObject({ code: "JOB_NOT_FOUND", message: "postgres://queue.test/state has no index job" });
  });
});
