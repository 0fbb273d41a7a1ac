import { readSecrets } from "../config/read.ts";
import { readStateUrl } from "../config/state.ts";
import { TwelveError } from "../core/errors.ts";
import { indexJobHandler } from "../index/job.ts";
import { jobKind } from "../index/job-schema.ts";
import { readManifest } from "../manifest/read.ts";
import type { Context } from "../ports/context.ts";
import type { JobHandler } from "../ports/queue.ts";

interface WorkerOptions {
  readonly process: string;
  readonly environment: string;
  /** Queues that the process declares. */
  readonly queues: readonly string[];
  readonly concurrency: number;
}

/** Takes work from the environment's queue until the process is asked to stop. Each line on stdout is one JSON event. */
export async function runWorker(context: Context, { process: name, environment, queues, concurrency }: WorkerOptions): Promise<void> {
  const { story, clock, signal } = context;
  const unknown = queues.filter((queue) => queue !== jobKind);
  if (unknown.length > 0) throw new TwelveError("PROCESS_UNSUPPORTED", `The process ${name} works on ${unknown.join(", ")}; this version has the queue ${jobKind}`);
  const manifest = await readManifest(context.dir);
  const [secrets, url] = await Promise.all([readSecrets(context, manifest, environment), readStateUrl(context, manifest, environment)]);
  const write = (event: string, fields: object): void => context.writeLine(JSON.stringify({ event, time: clock.now().toISOString(), "twelve.app": manifest.name, "twelve.environment": environment, "twelve.process": name, ...fields }));
  const queue = await context.openQueue(url);
  try {
    write("worker-ready", { queue: queue.url, queues });
    story.note(`Working on ${queues.join(", ")} of ${queue.url}, ${concurrency} at a time. Ctrl-C or SIGTERM stops`);
    await queue.work({ [jobKind]: logged(indexJobHandler(context, secrets), write, () => clock.monotonicMs()) }, { concurrency, signal, warn: (message) => story.warn(message) });
    write("worker-stopped", {});
  } finally {
    await queue.close();
  }
}

function logged(handler: JobHandler, write: (event: string, fields: object) => void, nowMs: () => number): JobHandler {
  const log = async <Result>(step: "shard" | "join", work: () => Promise<Result>): Promise<Result> => {
    const startMs = nowMs();
    const duration = (): object => ({ "twelve.duration_ms": Math.round(nowMs() - startMs) });
    try {
      const result = await work();
      write(`${step}-finished`, { ...duration(), "error.type": null });
      return result;
    } catch (error) {
      write(`${step}-finished`, { ...duration(), "error.type": error instanceof TwelveError ? error.code : "error", "error.message": error instanceof Error ? error.message : String(error) });
      throw error;
    }
  };
  return {
    shard: (input, shard, options) => log("shard", () => handler.shard(input, shard, options)),
    join: (input, results, options) => log("join", () => handler.join(input, results, options)),
  };
}
