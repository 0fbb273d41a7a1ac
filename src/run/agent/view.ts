import type { RunEvent, RunStatus } from "../../ports/runs.ts";
import { toldMessage } from "../http/error.ts";
import { callerOf } from "./group.ts";
import { awaited, endedSteps, historyOf } from "./history-plan.ts";
import type { RunOutcome } from "./schema.ts";
import type { RunSummary, RunView, StepView } from "./view-schema.ts";

/** What is stored beside a run, for lists. */
export interface About {
  readonly agent: string;
  readonly release: string;
  readonly traceId: string;
  /** Of what was asked: an ID that comes again with something else is a mistake. */
  readonly digest: string;
}

/** A run as the API shows it. */
export function summaryView(status: RunStatus): RunSummary {
  const { agent, release, traceId } = status.about as unknown as About;
  const outcome = status.result as unknown as RunOutcome | undefined;
  const usage = outcome?.answer.usage;
  return {
    id: status.id,
    object: "agent.run",
    agent,
    key: callerOf(status.group),
    release,
    status: status.state === "done" ? (outcome?.limit === null ? "completed" : "incomplete") : status.state,
    limit: outcome?.limit ?? null,
    trace_id: traceId,
    created_at: status.submitted.toISOString(),
    finished_at: status.finished?.toISOString() ?? null,
    output: outcome?.output ?? null,
    usage: usage === undefined ? null : { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens, cached_input_tokens: usage.cachedInputTokens },
    cost_usd: outcome?.answer.costUsd ?? null,
    // What has no code is a bug of ours.
    error: status.failure === undefined ? null : { code: status.failure.code?.toLowerCase() ?? "internal_error", message: toldMessage(status.failure, traceId) },
  };
}

/** What a run that is not through, or never was, has taken so far. */
function spentIn(steps: readonly StepView[]): Pick<RunView, "usage" | "cost_usd"> {
  const calls = steps.flatMap((step) => (step.type === "model_call" && step.usage !== null ? [{ usage: step.usage, costUsd: step.cost_usd }] : []));
  if (calls.length === 0) return { usage: null, cost_usd: null };
  const sum = (part: keyof NonNullable<RunView["usage"]>): number => calls.reduce((total, { usage }) => total + usage[part], 0);
  const isPriced = calls.every(({ costUsd }) => costUsd !== null);
  return {
    usage: { input_tokens: sum("input_tokens"), output_tokens: sum("output_tokens"), cached_input_tokens: sum("cached_input_tokens") },
    cost_usd: isPriced ? calls.reduce((total, { costUsd }) => total + (costUsd ?? 0), 0) : null,
  };
}

export function runView(status: RunStatus, events: readonly RunEvent[]): RunView {
  const told = historyOf(events);
  const steps = status.finished === undefined ? told : endedSteps(told, status.finished.toISOString());
  const summary = summaryView(status);
  return { ...summary, ...(summary.usage === null ? spentIn(steps) : {}), waiting_for: status.state === "waiting" ? [...awaited(steps)] : [], steps: [...steps] };
}
