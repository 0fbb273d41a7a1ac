import { untilAborted } from "../../core/abort.ts";
import { TwelveError } from "../../core/errors.ts";
import type { Context } from "../../ports/context.ts";
import type { QueueDepth } from "../../ports/queue.ts";
import type { Activation } from "../../release/schema.ts";
import { openRuntime } from "../apply.ts";
import { type ReleaseToRun, releaseName } from "../named.ts";
import { depthEveryMs, keepLooking } from "../watch.ts";

interface RunWorker {
  readonly environment: string;
  readonly concurrency: number;
  readonly release: ReleaseToRun & { readonly attachments: Activation["attachments"] };
  /** Told every so often how much waits and runs. */
  readonly onDepth: (depth: QueueDepth) => void;
}

/** Works on the runs of a release's agents until the process is asked to stop. Fails as a server of these agents would. */
export async function workOnRuns(context: Context, { environment, concurrency, release, onDepth }: RunWorker): Promise<void> {
  const { agents } = release.release;
  const names = Object.keys(agents).filter((name) => agents[name]?.tools !== undefined);
  if (names.length === 0) {
    throw new TwelveError("PROCESS_UNSUPPORTED", `The release ${releaseName(release)} of ${release.release.app} has no agent with tools, so there are no runs to work on`, { fix: "Give an agent `tools:` in twelve.yaml, or take `runs` out of the process's `work:`" });
  }
  const write = (event: object): void => context.writeLine(JSON.stringify(event));
  const { attachments } = release;
  const runtime = await openRuntime(context, { release, environment, attachments, agents: names, emit: write, onToolCall: write, runs: { works: true, concurrency } });
  keepLooking(async () => onDepth((await runtime.toolAgents?.runs?.depth()) ?? none), { signal: context.signal, everyMs: depthEveryMs });
  try {
    await untilAborted(context.signal);
  } finally {
    await runtime.close();
  }
}

const none: QueueDepth = { waiting: 0, running: 0 };
