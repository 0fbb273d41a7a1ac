import type { RunDepth } from "../../ports/runs.ts";
import type { Story } from "../../ports/story.ts";
import type { RuntimePart } from "../health.ts";
import { keepLooking } from "../watch.ts";

interface Following {
  readonly depth: () => Promise<RunDepth>;
  /** Whether this process works on runs itself. */
  readonly works: boolean;
  readonly onDepth: (depth: RunDepth) => void;
  readonly story: Pick<Story, "warn">;
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
  readonly everyMs?: number;
}

/** What a server knows of the runs that nobody has taken yet. */
export interface Backlog {
  /** For /readyz: never a reason not to be ready, since a server takes runs in without a worker. Undefined where the server works on runs itself, or the queue cannot be read. */
  part(): RuntimePart | undefined;
}

const usualEveryMs = 5000;
/** Seen before a chat request gives up, 15 s after it has put its run there. */
const longMs = 10_000;
const tellAgainMs = 60_000;

/** Looks at the queue of runs every so often, and warns where one has waited for long. */
export function followBacklog({ depth, works, onDepth, story, signal, nowMs, everyMs = usualEveryMs }: Following): Backlog {
  let seen: RunDepth | undefined;
  let toldMs = Number.NEGATIVE_INFINITY;
  keepLooking(async () => {
    seen = await depth().catch(() => undefined);
    if (seen === undefined) return;
    onDepth(seen);
    if (seen.oldestMs < longMs || nowMs() - toldMs < tellAgainMs) return;
    toldMs = nowMs();
    story.warn(`Runs of agents are ${waitFor(seen)}, and ${seen.running} are worked on. ${works ? "More processes would take them sooner" : "Start the process of twelve.yaml that works on `runs`, or more of it: chat requests give up after 15 s"}`);
  }, { signal, everyMs });
  return {
    part: () => (works || seen === undefined ? undefined : { name: "runs", isReady: true, detail: seen.waiting === 0 ? "none waits for a worker" : waitFor(seen) }),
  };
}

function waitFor({ waiting, oldestMs }: RunDepth): string {
  return `waiting for a worker: ${waiting} queued, the oldest for ${Math.floor(oldestMs / 1000)} s`;
}
