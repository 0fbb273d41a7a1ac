import { DBOS } from "@dbos-inc/dbos-sdk";
import { withDbRetry } from "@dbos-inc/dbos-sdk/internal/system_database";
import type { Json } from "../../../core/canonical-json.ts";
import type { NewRun, OngoingRun, RunHandler, RunKey } from "../../../ports/runs.ts";
import { type Attempts, never } from "../../dbos/attempt.ts";
import { runQueue, runWorkflow } from "../../dbos/names.ts";
import type { Database } from "../../state/database.ts";
import { append, appendAttempt, readEvent } from "./ledger.ts";
import { laterStep, nextTry, noteLater, restedMs } from "./later.ts";
import { askKey, decisionKey, forgetWait, noteWait } from "./wake.ts";

/** Begins a run in this process; `ended` is settled when it ends or waits. */
export type StartRun = (run: NewRun) => Promise<{ readonly ended: Promise<void> }>;

interface WorkflowOptions {
  readonly database: Database;
  readonly executor: string;
  /** Another worker is missed after so long; a run that is postponed is tried again after a while like it. */
  readonly lostMs: number;
  readonly handlers: ReadonlyMap<string, RunHandler>;
  readonly attempts: Attempts;
}

/** A run that takes so many workers down with it is given up. A long one sees many processes stop in good order, which count too. */
const recoveries = 100;
/** Thrown through the handler to leave the process. */
const leaving = new Error("The run waits for a decision");
const postponing = new Error("The run is tried again later");

/** One ID for all that names a run. */
export function workflowId({ kind, group, id }: RunKey): string {
  return [kind, group, id].map(encodeURIComponent).join("/");
}

/** What is stored with a run beside its input. */
export function attributesOf({ kind, group, about }: NewRun): Record<string, unknown> {
  return { kind, group, about, queue: runQueue(kind) };
}

/** Declares the workflow, before DBOS is launched. */
export function registerRuns({ handlers, attempts, ...working }: WorkflowOptions): StartRun {
  const run = DBOS.registerWorkflow(
    async (kind: string, group: string, id: string, input: Json): Promise<Json> => {
      const handler = handlers.get(kind);
      if (handler === undefined) throw new Error(`There is no handler for runs of kind ${kind}`);
      try {
        return { result: await handler(input, ongoing({ attempts, ...working }, { kind, group, id })) };
      } catch (error) {
        if (error === leaving) return { waiting: true };
        if (error === postponing) return { later: true };
        // The database may have been closed under it. Nothing is recorded, and another worker goes on.
        if (attempts.isStopping) return never();
        throw error;
      }
    },
    { name: runWorkflow, maxRecoveryAttempts: recoveries },
  );
  return async (wanted) => {
    const { kind, group, id, input } = wanted;
    const handle = await DBOS.startWorkflow(run, { workflowID: workflowId(wanted), workflowAttributes: attributesOf(wanted) })(kind, group, id, input);
    const ended = handle.getResult().then(() => {});
    // Whoever does not wait for it finds its failure in its status.
    ended.catch(() => {});
    return { ended };
  };
}

function ongoing({ database, executor, lostMs, attempts }: Omit<WorkflowOptions, "handlers">, key: RunKey): OngoingRun {
  const run = workflowId(key);
  return {
    id: key.id,
    group: key.group,
    step: (name, begun, work, { isFinished = false } = {}) =>
      attempts.run(name, async (signal) => work({ number: await appendAttempt(database, executor, { run, step: name, data: begun }), signal }), { isRetried: false, isStopped: !isFinished }),
    tell: async (eventKey, data) => void (await append(database, executor, { run, key: `told ${eventKey}`, data })),
    async wait(asked, onAsked) {
      for (const [topic, question] of Object.entries(asked)) {
        if (await append(database, executor, { run, key: askKey(topic), data: question })) onAsked?.(topic);
      }
      const answered = await Promise.all(Object.keys(asked).map(async (topic) => ({
        topic,
        question: await readEvent(database, run, askKey(topic)),
        decision: await readEvent(database, run, decisionKey(topic)),
      })));
      const decided = answered.flatMap(({ topic, question, decision }) => (question === undefined || decision === undefined ? [] : [{ topic, question, decision }]));
      if (decided.length < answered.length) {
        await withDbRetry(() => noteWait(database, run));
        throw leaving;
      }
      await withDbRetry(() => forgetWait(database, run));
      const waitedMs = Math.max(0, ...decided.map(({ decision }) => decision.at.getTime())) - Math.min(...decided.map(({ question }) => question.at.getTime()));
      return { decisions: Object.fromEntries(decided.map(({ topic, decision }) => [topic, decision.data])), waitedMs };
    },
    async postpone(reason) {
      const at = await withDbRetry(() => nextTry(database, run, lostMs));
      if (at === undefined) return;
      await appendAttempt(database, executor, { run, step: laterStep, data: { ...reason, again_at: at.toISOString() } });
      await withDbRetry(() => noteLater(database, run, at));
      throw postponing;
    },
    restedMs: () => withDbRetry(() => restedMs(database, run)),
  };
}
