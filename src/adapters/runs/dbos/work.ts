import type { RunHandler, RunWorkOptions } from "../../../ports/runs.ts";
import { type Executing, withExecutor } from "../../dbos/executor.ts";
import { runQueue } from "../../dbos/names.ts";
import type { StartRun } from "./workflow.ts";

interface Working extends RunWorkOptions, Executing {
  /** Given how a run is begun in this process. */
  readonly onStart: (start: StartRun) => void;
}

/** How often a worker looks for runs. */
const pollMs = 200;

/** Works until the signal is aborted. */
export function workOnRuns(handlers: Readonly<Record<string, RunHandler>>, options: Working): Promise<void> {
  return withExecutor(options, (executor) => {
    for (const [kind, handler] of Object.entries(handlers)) {
      executor.runs.set(kind, handler);
      if (options.taking?.aborted === true) continue;
      executor.listen(runQueue(kind), { concurrency: options.concurrency, pollMs });
      options.taking?.addEventListener("abort", () => executor.leave(runQueue(kind)), { once: true });
    }
    options.onStart(executor.startRun);
    options.onReady();
  });
}
