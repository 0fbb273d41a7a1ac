import type { RunEngine } from "../../../ports/runs.ts";
import { type ExecutorOptions, usualExecutor } from "../../dbos/executor.ts";
import { runQueue, runWorkflow } from "../../dbos/names.ts";
import { openService } from "../../dbos/service.ts";
import { openDatabase } from "../../state/database.ts";
import { cancelAway, forgetCancelled } from "./cancel.ts";
import { appendFromOutside, readEvent, readEvents } from "./ledger.ts";
import { openLookout } from "./lookout.ts";
import { readDepth, isOver, readRun, readRuns, readStandings } from "./status.ts";
import { askKey, decisionKey, wakeRuns } from "./wake.ts";
import { attributesOf, type StartRun, workflowId } from "./workflow.ts";

/** Opens `postgres://...` or `pglite:<folder>`; nothing is connected before the first call. */
export async function openRuns(reference: string, dir: string, options: ExecutorOptions = {}): Promise<RunEngine> {
  const { version, lostMs } = { ...usualExecutor, ...options };
  const { database, ask, client, check, close } = await openService(reference, dir);
  const lookout = openLookout((runs) => ask(() => readStandings(database, runs)));
  let startHere: StartRun | undefined;

  return {
    url: database.url,
    check,
    close,
    submit: (run) =>
      ask(async () => {
        const { kind, group, id, input } = run;
        await (await client()).enqueue({ workflowName: runWorkflow, queueName: runQueue(kind), workflowID: workflowId(run), appVersion: version, attributes: attributesOf(run) }, kind, group, id, input);
      }),
    async start(run) {
      const begin = startHere;
      if (begin === undefined) throw new Error("This process does not work on runs");
      return ask(() => begin(run));
    },
    status: (run) => ask(() => readRun(database, run)),
    list: (of, page) => ask(() => readRuns(database, of, page)),
    depth: (kind) => ask(() => readDepth(database, kind)),
    cancel: (run) =>
      ask(async () => {
        const id = workflowId(run);
        for (let isTried = false; ; isTried = true) {
          const status = await readRun(database, run);
          if (status === undefined || isOver(status)) {
            if (isTried) await forgetCancelled(database, id);
            return isTried && status?.state === "cancelled";
          }
          // One that leaves its process between the two is found away at the next look.
          if (!(await cancelAway(database, id))) await (await client()).cancelWorkflow(id);
        }
      }),
    decide: (run, topic, decision) =>
      ask(async () => {
        const id = workflowId(run);
        if ((await readEvent(database, id, askKey(topic))) === undefined) return undefined;
        await appendFromOutside(database, { run: id, key: decisionKey(topic), data: decision });
        await wakeRuns(database, version, id);
        return (await readEvent(database, id, decisionKey(topic)))?.data;
      }),
    async *events(run, { after, signal }) {
      let position = after;
      for (;;) {
        signal.throwIfAborted();
        // Looked at before the events: what comes behind them is seen at the next look.
        const [status, events] = await ask(async () => [await readRun(database, run), await readEvents(database, workflowId(run), position)] as const);
        yield* events;
        position = events.at(-1)?.position ?? position;
        if (status === undefined || (isOver(status) && position >= status.position)) return;
        if (events.length === 0) await lookout(workflowId(run), position, signal);
      }
    },
    work: (handlers, working) =>
      ask(async () => {
        const { workOnRuns } = await import("./work.ts");
        await workOnRuns(handlers, { ...working, version, lostMs, reopen: (session) => openDatabase(reference, dir, session), onStart: (start) => (startHere = start) });
      }).finally(() => (startHere = undefined)),
  };
}
