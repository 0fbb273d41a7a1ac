import { z } from "zod";
import { RunLimit } from "./schema.ts";

const UsageView = z.strictObject({ input_tokens: z.int(), output_tokens: z.int(), cached_input_tokens: z.int() });
const ErrorView = z.strictObject({ code: z.string(), message: z.string() });
const at = z.iso.datetime();

const ModelCallView = z.strictObject({
  type: z.literal("model_call"),
  step: z.int().meta({ description: "Number of the model call in its run, from 1" }),
  status: z.enum(["running", "finished", "failed"]),
  attempts: z.int().meta({ description: "More than 1 where a process was lost in the middle of the call" }),
  started_at: at,
  finished_at: at.nullable(),
  model: z.string().nullable(),
  text: z.string().nullable(),
  tool_calls: z.array(z.strictObject({ call_id: z.string(), tool: z.string(), arguments: z.string() })),
  finish_reason: z.string().nullable(),
  usage: UsageView.nullable(),
  cost_usd: z.number().nullable().meta({ description: "null when the price is unknown" }),
  latency_ms: z.number().nullable(),
  error: ErrorView.nullable(),
});

const ToolCallView = z.strictObject({
  type: z.literal("tool_call"),
  step: z.int().meta({ description: "Number of the model call that asked for it" }),
  call_id: z.string().meta({ description: "Unique in its run" }),
  tool: z.string(),
  arguments: z.string().meta({ description: "As the model wrote them" }),
  status: z.enum(["waiting", "approved", "running", "finished"]),
  approval: z.strictObject({ approved: z.boolean(), reason: z.string().nullable(), by: z.string().nullable().meta({ description: "Name of the API key that decided" }), at }).nullable(),
  attempts: z.int(),
  started_at: at.nullable(),
  finished_at: at.nullable(),
  result: z.string().nullable().meta({ description: "What the model was given; the beginning of it where `result_is_cut`" }),
  result_is_cut: z.boolean(),
  result_digest: z.string().nullable(),
  is_error: z.boolean(),
  outcome_unknown: z.boolean().meta({ description: "Nobody knows whether the call was carried out: it must not be made twice, and was not made again" }),
  latency_ms: z.number().nullable(),
});

export const StepView = z.discriminatedUnion("type", [ModelCallView, ToolCallView]);
export type StepView = z.infer<typeof StepView>;

const runShape = {
  id: z.string(),
  object: z.literal("agent.run"),
  agent: z.string(),
  key: z.string().nullable().meta({ description: "Name of the API key whose run it is" }),
  release: z.string().meta({ description: "Digest of the release that it runs in to its end" }),
  status: z.enum(["queued", "running", "waiting", "completed", "incomplete", "failed", "cancelled"]),
  limit: RunLimit.nullable().meta({ description: "Why it is incomplete" }),
  trace_id: z.string(),
  created_at: at,
  finished_at: at.nullable(),
  output: z.string().nullable().meta({ description: "Text of the last model call" }),
  usage: UsageView.nullable().meta({ description: "Of all model calls together" }),
  cost_usd: z.number().nullable(),
  error: ErrorView.nullable(),
};

/** A run as lists show it. */
export const RunSummary = z.strictObject(runShape).meta({ title: "Run", description: "A run of an agent" });
export type RunSummary = z.infer<typeof RunSummary>;

/** A run with its steps. */
export const RunView = z
  .strictObject({
    ...runShape,
    waiting_for: z.array(z.strictObject({ call_id: z.string(), tool: z.string(), arguments: z.string() })).meta({ description: "Calls that somebody must approve or refuse" }),
    steps: z.array(StepView),
  })
  .meta({ title: "RunWithSteps", description: "A run of an agent with its steps" });
export type RunView = z.infer<typeof RunView>;
