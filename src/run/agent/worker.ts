import { untilAborted } from "../../core/abort.ts";
import { TwelveError } from "../../core/errors.ts";
import type { Context } from "../../ports/context.ts";
import type { RunDepth } from "../../ports/runs.ts";
import type { Activation } from "../../release/schema.ts";
import { openRuntime } from "../apply.ts";
import { type ReleaseToRun, releaseName } from "../named.ts";
import type { ModelCallEvent } from "../schema.ts";
import { depthEveryMs, keepLooking } from "../watch.ts";

interface RunWorker {
  readonly environment: string;
  readonly concurrency: number;
  readonly isContentLogged: boolean;
  readonly release: ReleaseToRun & { readonly attachments: Activation["attachments"] };
  readonly onModelCall: (event: ModelCallEvent) => void;
  /** Told every so often how much waits and runs. */
  readonly onDepth: (depth: RunDepth) => void;
}

/** A process at work on runs. */
export interface WorkOnRuns {
  /** How many are worked on here. */
  running(): number;
  /** Resolves when runs are taken from the queue; they wait for as long as that is away. */
  readonly ready: Promise<void>;
  /** Works until the process is asked to stop. */
  untilStopped(): Promise<void>;
}

/** Opens what the runs of a release's agents need, and begins to work on them. Fails as a server of these agents would. */
export async function openWorkOnRuns(context: Context, { environment, concurrency, release, isContentLogged, onModelCall, onDepth }: RunWorker): Promise<WorkOnRuns> {
  const { agents } = release.release;
  const names = Object.keys(agents).filter((name) => agents[name]?.tools !== undefined);
  if (names.length === 0) {
    throw new TwelveError("PROCESS_UNSUPPORTED", `The release ${releaseName(release)} of ${release.release.app} has no agent with tools, so there are no runs to work on`, { fix: "Give an agent `tools:` in twelve.yaml, or take `runs` out of the process's `work:`" });
  }
  const write = (event: object): void => context.writeLine(JSON.stringify(event));
  const emit = (event: ModelCallEvent): void => {
    write(event);
    onModelCall(event);
  };
  const { attachments } = release;
  const runtime = await openRuntime(context, { release, environment, attachments, agents: names, emit, isContentLogged, onToolCall: write, runs: { works: true, concurrency } });
  keepLooking(async () => {
    const depth = await runtime.toolAgents?.runs?.depth();
    if (depth !== undefined) onDepth(depth);
  }, { signal: context.signal, everyMs: depthEveryMs });
  return {
    running: () => runtime.toolAgents?.running() ?? 0,
    ready: runtime.toolAgents?.ready ?? Promise.resolve(),
    async untilStopped() {
      await untilAborted(context.signal);
      await runtime.close();
    },
  };
}
