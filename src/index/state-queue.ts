import { readStateUrl } from "../config/state.ts";
import { readManifest } from "../manifest/read.ts";
import type { Context } from "../ports/context.ts";
import type { JobQueue } from "../ports/queue.ts";

/** The queue of an environment. */
export async function openStateQueue(context: Context, environment: string): Promise<JobQueue> {
  return context.openQueue(await readStateUrl(context, await readManifest(context.dir), environment));
}
