import { historyOf } from "../agent/history-plan.ts";
import type { StepView } from "../agent/view-schema.ts";
import type { CallView } from "../ui/schema.ts";

/** One event of a run, as `/v1/agents/<name>/runs/<id>/events` sends it. */
export interface RunTold {
  readonly type: string;
  readonly at: string;
  readonly [field: string]: unknown;
}

/** One call of a tool, as it is shown. */
export interface ShownCall {
  readonly id: string;
  readonly tool: string;
  readonly given: string;
  /** Where it stands, in words; `kind` for the eye. */
  readonly state: string;
  readonly kind: "running" | "waiting" | "failed" | "";
  readonly result: string | null;
  readonly latencyMs: number | null;
}

/** The steps of a run, by what it has told so far. */
export function stepsOf(told: readonly RunTold[]): readonly StepView[] {
  return historyOf(told.map(({ at, ...data }, index) => ({ position: index + 1, at: new Date(at), data: data as never })));
}

export function callsIn(steps: readonly StepView[]): readonly ShownCall[] {
  return steps.flatMap((step) => (step.type === "tool_call" ? [{ id: step.call_id, tool: step.tool, given: step.arguments, ...stateOf(step), result: step.result, latencyMs: step.latency_ms }] : []));
}

/** Of an answer whose run nobody can follow. */
export function callsOf(calls: readonly CallView[]): readonly ShownCall[] {
  return calls.map(({ tool, given, result, isError }, index) => ({ id: `call ${index + 1}`, tool, given, state: isError ? "failed" : "done", kind: isError ? "failed" : "", result, latencyMs: null }));
}

/** All that was said, as an answer puts it together. */
export function textIn(steps: readonly StepView[]): string {
  return steps.flatMap((step) => (step.type === "model_call" && (step.text ?? "") !== "" ? [step.text] : [])).join("\n\n");
}

function stateOf({ status, approval, is_error: isError, outcome_unknown: isUnknown }: Extract<StepView, { readonly type: "tool_call" }>): Pick<ShownCall, "state" | "kind"> {
  if (status === "waiting") return { state: "waits for approval", kind: "waiting" };
  if (approval?.approved === false) return { state: "refused", kind: "failed" };
  if (status === "approved") return { state: "approved", kind: "running" };
  if (status === "running") return { state: "running", kind: "running" };
  if (isUnknown) return { state: "outcome unknown", kind: "failed" };
  return isError ? { state: "failed", kind: "failed" } : { state: "done", kind: "" };
}
