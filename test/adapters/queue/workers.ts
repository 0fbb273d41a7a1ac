import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished, vi } from "vitest";
import type { JobQueue, JobStatus } from "../../../src/ports/queue.ts";

export interface WorkerProcess {
  readonly process: ChildProcess;
  /** Its next line, such as `ready` or `begin 3`; undefined when it is gone. */
  next(): Promise<string | undefined>;
  kill(): Promise<void>;
  /** Asks it to stop, and waits until it has. */
  stop(): Promise<void>;
}

export interface WorkerOptions {
  readonly concurrency?: number;
  readonly lostMs?: number;
}

/** Starts a worker process; it is ended with the test. */
export async function startWorker(url: string, folder: string, options: WorkerOptions = {}): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "worker.ts"), url, folder, JSON.stringify(options)], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  };
  onTestFinished(() => end("SIGKILL"));
  const next = async (): Promise<string | undefined> => {
    const line = await lines.next();
    return line.done === true ? undefined : line.value;
  };
  await next();
  return { process: child, next, kill: () => end("SIGKILL"), stop: () => end("SIGTERM") };
}

/** Everything all workers of the folder have done, in order. */
export async function readTrace(folder: string): Promise<readonly string[]> {
  return (await readFile(join(folder, "trace"), "utf8")).trimEnd().split("\n");
}

export function whenEnded(queue: JobQueue, id: string): Promise<JobStatus> {
  return vi.waitFor(async () => {
    const status = await queue.status(id);
    if (status === undefined || status.state === "queued" || status.state === "running") throw new Error(`${id}: ${JSON.stringify(status)}`);
    return status;
  }, { timeout: 100_000, interval: 100 });
}
