import { TwelveError } from "../../core/errors.ts";
import type { Context } from "../../ports/context.ts";
import type { Activation } from "../../release/schema.ts";
import { openRuntime } from "../apply.ts";
import { type ReleaseToRun, releaseName } from "../named.ts";

interface RunWorker {
  readonly environment: string;
  readonly concurrency: number;
  readonly release: ReleaseToRun & { readonly attachments: Activation["attachments"] };
}

/** Works on the runs of a release's agents until the process is asked to stop. Fails as a server of these agents would. */
export async function workOnRuns(context: Context, { environment, concurrency, release }: RunWorker): Promise<void> {
  const { agents } = release.release;
  const names = Object.keys(agents).filter((name) => agents[name]?.tools !== undefined);
  if (names.length === 0) {
    throw new TwelveError("PROCESS_UNSUPPORTED", `The release ${releaseName(release)} of ${release.release.app} has no agent with tools, so there are no runs to work on`, { fix: "Give an agent `tools:` in twelve.yaml, or take `runs` out of the process's `work:`" });
  }
  const write = (event: object): void => context.writeLine(JSON.stringify(event));
  const { attachments } = release;
  const runtime = await openRuntime(context, { release, environment, attachments, agents: names, emit: write, onToolCall: write, runs: { works: true, concurrency } });
  try {
    await untilAborted(context.signal);
  } finally {
    await runtime.close();
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
