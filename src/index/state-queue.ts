import { readStateUrl } from "../config/state.ts";
import { indexQueue } from "../manifest/process.ts";
import { readManifest } from "../manifest/read.ts";
import type { Context } from "../ports/context.ts";
import type { JobQueue } from "../ports/queue.ts";
import { jobKind } from "./job-schema.ts";

interface StateQueue {
  readonly queue: JobQueue;
  /** Of the index jobs of this application in this environment. */
  readonly kind: string;
}

/** Does the work with the queue of an environment, which is closed after it. */
export async function withStateQueue<Result>(context: Context, environment: string, work: (opened: StateQueue) => Promise<Result>): Promise<Result> {
  const manifest = await readManifest(context.dir);
  const queue = await context.openQueue(await readStateUrl(context, manifest, environment));
  try {
    return await work({ queue, kind: jobKind({ app: manifest.name, environment }) });
  } finally {
    await queue.close();
  }
}

/** The first process of the manifest that takes such jobs; null when there is none. */
export async function findWorker({ dir }: Pick<Context, "dir">): Promise<string | null> {
  const { processes } = await readManifest(dir);
  return Object.entries(processes).find(([, process]) => "work" in process && process.work.includes(indexQueue))?.[0] ?? null;
}
