import type { RunEvent } from "../../ports/runs.ts";
import type { StepView } from "./view-schema.ts";

type ModelView = Extract<StepView, { readonly type: "model_call" }>;
type ToolView = Extract<StepView, { readonly type: "tool_call" }>;

/** What a run tells, as it was written by this folder's steps. */
interface Told {
  readonly type: string;
  readonly step?: number;
  readonly call_id?: string;
  readonly attempt?: number;
  readonly [field: string]: unknown;
}

/** The steps of a run in the order in which they began, made from what it has told. */
export function historyOf(events: readonly RunEvent[]): readonly StepView[] {
  const steps = new Map<string, StepView>();
  for (const { at, data } of events) {
    const told = data as unknown as Told;
    const key = told.call_id ?? `model ${told.step}`;
    const next = nextView(steps.get(key), told, at.toISOString());
    if (next !== undefined) steps.set(key, next);
  }
  return [...steps.values()];
}

/** The steps of a run that is over: what was under way is broken off, and what came of it nobody knows. */
export function endedSteps(steps: readonly StepView[], at: string): readonly StepView[] {
  return steps.map((step) => {
    if (step.status !== "running") return step;
    return step.type === "model_call" ? { ...step, status: "failed", finished_at: at } : { ...step, status: "finished", finished_at: at, is_error: true, outcome_unknown: true };
  });
}

/** The calls that wait for a decision. */
export function awaited(steps: readonly StepView[]): readonly { readonly call_id: string; readonly tool: string; readonly arguments: string }[] {
  return steps.flatMap((step) => (step.type === "tool_call" && step.status === "waiting" ? [{ call_id: step.call_id, tool: step.tool, arguments: step.arguments }] : []));
}

function nextView(step: StepView | undefined, told: Told, at: string): StepView | undefined {
  if (told.type.startsWith("model_call")) return nextModelView(step?.type === "model_call" ? step : newModelView(told, at), told, at);
  if (told.type.startsWith("tool_call") || told.type.startsWith("approval")) return nextToolView(step?.type === "tool_call" ? step : newToolView(told), told, at);
  return undefined;
}

function nextModelView(view: ModelView, told: Told, at: string): ModelView {
  if (told.type === "model_call_started") return { ...view, attempts: told.attempt ?? 1 };
  const { type: _, step: __, ...facts } = told;
  return { ...view, ...facts, status: "error" in told ? "failed" : "finished", finished_at: at };
}

function nextToolView(view: ToolView, told: Told, at: string): ToolView {
  switch (told.type) {
    case "approval_requested":
      return { ...view, status: "waiting" };
    case "approval_decided": {
      const { approve, reason, by } = told as unknown as { readonly approve: boolean; readonly reason: string | null; readonly by: string | null };
      return { ...view, status: "approved", approval: { approved: approve, reason, by, at } };
    }
    case "tool_call_started":
      return { ...view, status: "running", attempts: told.attempt ?? 1, started_at: view.started_at ?? at };
    default: {
      const { type: _, step: __, call_id: ___, ...facts } = told;
      return { ...view, ...facts, status: "finished", finished_at: at };
    }
  }
}

function newModelView({ step = 0 }: Told, at: string): ModelView {
  return { type: "model_call", step, status: "running", attempts: 1, started_at: at, finished_at: null, model: null, text: null, tool_calls: [], finish_reason: null, usage: null, cost_usd: null, latency_ms: null, error: null };
}

function newToolView({ step = 0, call_id = "", tool, arguments: given }: Told): ToolView {
  return {
    type: "tool_call", step, call_id, tool: String(tool), arguments: String(given), status: "running", approval: null, attempts: 0,
    started_at: null, finished_at: null, result: null, result_is_cut: false, result_digest: null, is_error: false, outcome_unknown: false, latency_ms: null,
  };
}
