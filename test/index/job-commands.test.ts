import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { TwelveError } from "../../src/core/errors.ts";
import cancel from "../../src/index/cancel-command.ts";
import status from "../../src/index/status-command.ts";
import wait from "../../src/index/wait-command.ts";
import type { Context } from "../../src/ports/context.ts";
import type { JobStatus } from "../../src/ports/queue.ts";
import { temporaryFolder, testContext, type TestContext } from "../helpers/context.ts";
import { memoryQueue } from "../helpers/memory-queue.ts";

const [id, older] = ["index-docs-2", "index-docs-1"];
const result = { digest: `sha256:${"ab".repeat(32)}`, documents: 5, chunks: 9, embedded: 9, costUsd: 0, skipped: 0 };

let dir: string;
let queue: ReturnType<typeof memoryQueue>;
beforeEach(async () => {
  dir = await temporaryFolder();
  await writeFile(join(dir, "twelve.yaml"), "name: app\nconfig:\n  STATE_URL: { kind: attachment, optional: true }\nenvironments:\n  staging: {}\n");
  queue = memoryQueue();
  for (const job of [older, id]) await queue.submit({ id: job, kind: "index_app_development", input: null, shards: [1, 2, 3] });
  await queue.submit({ id: "index-docs-9", kind: "index_app_staging", input: null, shards: [] });
});

const opened: string[] = [];
async function context(changes: Partial<Context> = {}, env: Record<string, string> = {}): Promise<TestContext> {
  const openQueue: Context["openQueue"] = (reference) => {
    opened.push(reference);
    return Promise.resolve(queue);
  };
  return { ...(await testContext({ dir, env })), openQueue, ...changes };
}

describe("twelve index status", () => {
  const run = async (input: Parameters<typeof status.input.parse>[0]): Promise<Awaited<ReturnType<typeof status.run>>> => {
    const output = await status.run(status.input.parse(input), await context());
    expect(status.output.parse(output)).toEqual(output);
    expect(queue.isClosed).toBe(true);
    return output;
  };

  it("lists the jobs of the environment, the newest first", async () => {
    expect((await run({})).jobs.map(({ job }) => job)).toEqual([id, older]);
    expect((await run({ env: "staging" })).jobs.map(({ job }) => job)).toEqual(["index-docs-9"]);
  });

  it("shows one job, and the whole reason why it failed", async () => {
    const message = `One of many: ${"again ".repeat(40)}`;
    queue.tell(older, { state: "failed", failure: { message } });
    const output = await run({ job: older });
    expect(output.jobs).toEqual([expect.objectContaining({ job: older, state: "failed" })]);
    expect(status.render(output, status.input.parse({ job: older })).split("\n").at(-1)).toBe(message);
    await expect(run({ job: "index-docs-9" })).rejects.toMatchObject({ code: "JOB_NOT_FOUND" });
  });

  it("says so when there is none", async () => {
    queue = memoryQueue();
    expect(status.render(await run({}), status.input.parse({}))).toBe("No index job on postgres://queue.test/state. Make one: `twelve index --detach`");
  });

  it("looks where STATE_URL says, else in the application's folder", async () => {
    opened.length = 0;
    await status.run(status.input.parse({}), await context());
    await status.run(status.input.parse({}), await context({}, { STATE_URL: "postgres://me:secret@host/db" }));
    expect(opened).toEqual(["pglite:.twelve/state", "postgres://me:secret@host/db"]);
  });
});

describe("twelve index cancel", () => {
  const run = async (job: string): Promise<string> => {
    const input = cancel.input.parse({ job });
    return cancel.render(await cancel.run(input, await context()), input);
  };

  it("cancels a job that waits or runs, once", async () => {
    queue.tell(id, { state: "running" });
    expect(await run(id)).toBe(`Job ${id} is cancelled. What it embedded is kept`);
    expect(await run(id)).toBe(`Job ${id} was cancelled already`);
    expect(await queue.status(older)).toMatchObject({ state: "queued" });
  });

  it("leaves a job that is done as it is", async () => {
    queue.tell(id, { state: "done" });
    expect(await run(id)).toBe(`Job ${id} was done already`);
  });

  it("knows only jobs of its environment", async () => {
    await expect(run("index-docs-9")).rejects.toMatchObject({ code: "JOB_NOT_FOUND" });
    expect(await queue.status("index-docs-9")).toMatchObject({ state: "queued" });
  });
});

describe("twelve index wait", () => {
  type Waited = { readonly output: Awaited<ReturnType<typeof wait.run>>; readonly verdict: ReturnType<NonNullable<typeof wait.verdict>>; readonly text: string; readonly told: readonly string[] };

  async function run(given: Parameters<typeof wait.input.parse>[0], changes: Partial<Context> = {}): Promise<Waited> {
    const [input, opening] = [wait.input.parse(given), await context(changes)];
    const output = await wait.run(input, opening);
    expect(wait.output.parse(output)).toEqual(output);
    return { output, verdict: wait.verdict?.(output), text: wait.render(output, input), told: opening.told };
  }
  /** The queue tells these, one at each look, from the second on. */
  function thenTell(...changes: readonly Partial<JobStatus>[]): void {
    const next = changes.values();
    const looked = queue;
    const look = (job: string): Promise<JobStatus | undefined> => {
      looked.tell(job, next.next().value ?? {});
      return looked.status(job);
    };
    queue = Object.assign(Object.create(looked) as typeof queue, { status: look });
  }

  it("ends with 0 when the job is done", async () => {
    thenTell({ state: "running", shards: { done: 1, running: 1, total: 3 } }, { state: "done", finished: new Date(Date.UTC(2026, 0, 1, 0, 0, 9)), result });
    const { output, verdict, text } = await run({});
    expect(output).toMatchObject({ job: id, state: "done", result });
    expect(verdict).toBeUndefined();
    expect(text.split("\n").at(-1)).toBe("Next: twelve release --env development");
  });

  it.each([
    ["DOCUMENT_UNREADABLE", 2, "Correct it"],
    ["EMBEDDER_DRIFTED", 5, undefined],
    ["SERVICE_LIMITED", 6, undefined],
    ["toString", 6, undefined],
    [undefined, 6, undefined],
  ])("ends as the job has failed, with %s", async (code, exit, fix) => {
    queue.tell(id, { state: "failed", failure: { message: "no", ...(code === undefined ? {} : { code }), ...(fix === undefined ? {} : { fix }) } });
    const { verdict, text } = await run({ job: id });
    expect(verdict).toEqual({ exit, message: expect.stringMatching(fix === undefined ? /^Job index-docs-2 failed: no\nFix: \S/ : /^Job index-docs-2 failed: no\nFix: Correct it$/) });
    expect(text).toBe("");
  });

  it("ends with 3 when the job is cancelled, or not done in time", async () => {
    queue.tell(id, { state: "cancelled" });
    expect((await run({ job: id })).verdict).toEqual({ exit: 3, message: `Job ${id} is cancelled` });
    expect((await run({ job: older, timeout: 0 })).verdict).toEqual({ exit: 3, message: `Job ${older} is queued` });
  });

  it("says after a while that nobody takes the job", async () => {
    let nowMs = 0;
    const clock = { ...(await testContext({ dir })).clock, monotonicMs: () => (nowMs += 2000) };
    thenTell({}, {}, {}, { state: "cancelled" });
    const { told } = await run({ job: id }, { clock });
    expect(told).toEqual(["warn No worker is at the job. It takes one of this version, with `--env development`, the same STATE_URL and the same store"]);
  });

  it("waits for a queue that is away for a moment, and not for ever", async () => {
    const away = new TwelveError("SERVICE_FAILED", "The server is away", { retry: { afterMs: null } });
    const present = queue;
    const failing = (times: number): void => {
      let calls = 0;
      const look = async (job: string): Promise<JobStatus | undefined> => {
        if ((calls += 1) > 1 && calls <= times + 1) throw away;
        if (calls > 1) present.tell(id, { state: "cancelled" });
        return present.status(job);
      };
      queue = Object.assign(Object.create(present) as typeof queue, { status: look });
    };
    failing(2);
    expect(await run({ job: id })).toMatchObject({ output: { state: "cancelled" }, told: ["warn The server is away. Waiting for it"] });
    let nowMs = 0;
    const clock = { ...(await testContext({ dir })).clock, monotonicMs: () => (nowMs += 10_000) };
    failing(1000);
    await expect(run({ job: older }, { clock })).rejects.toBe(away);
  });

  it("stops when it is interrupted, and the job goes on", async () => {
    const stop = new AbortController();
    const reason = new Error("interrupted");
    setTimeout(() => stop.abort(reason), 20);
    await expect(run({ job: id }, { signal: stop.signal })).rejects.toMatchObject({ cause: reason });
    expect(queue.isClosed).toBe(true);
    expect(await queue.status(id)).toMatchObject({ state: "queued" });
  });
});
