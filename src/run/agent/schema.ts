import { z } from "zod";
import { Digest } from "../../core/descriptor.ts";
import { runsQueue } from "../../manifest/process.ts";
import type { Message, Sampling } from "../../ports/model.ts";
import type { Answer, AnswerRequest } from "../schema.ts";

/** A state service may be shared by applications and environments, whose processes have other stores and other secrets. */
export function runKind({ app, environment }: { readonly app: string; readonly environment: string }): string {
  // Joined by what no name can hold, as for jobs.
  return [runsQueue, app, environment].join("_");
}

/** What of a request is kept with its run. */
export type KeptRequest = Pick<AnswerRequest, "messages" | "said" | "variables" | "isStream" | keyof Sampling | "toolChoice" | "isSingleCall" | "isTrimmable">;

/** What the state service holds of a run. Whoever goes on with it does so with this release. */
export const RunInput = z.strictObject({
  loop: z.literal(1).meta({ description: "Version of the loop: a process that knows another one does not go on" }),
  release: Digest,
  agent: z.string(),
  user: z.string().nullable(),
  traceId: z.string(),
  session: z.strictObject({ user: z.string(), session: z.string() }).optional().meta({ description: "Where the turn is kept, should the run outlive its request" }),
  request: z.custom<KeptRequest>((value) => typeof value === "object" && value !== null),
});
export type RunInput = z.infer<typeof RunInput>;

/** Why a run ended before the model was through. */
export const RunLimit = z.enum(["steps", "tokens", "cost", "seconds"]);
export type RunLimit = z.infer<typeof RunLimit>;

/** How a run ended, as it is kept. */
export interface RunOutcome {
  /** Null where the model was through. */
  readonly limit: RunLimit | null;
  /** Text of the last model call. */
  readonly output: string;
  /** All that was said, with what all model calls together took. */
  readonly answer: Answer;
  /** It asked for approval, and so its request ended before it. */
  readonly isLate: boolean;
  /** What the turn adds to the conversation: calls, results and the answer. */
  readonly made: readonly Message[];
}

/** A failure that survives the database. */
export const KeptFailure = z.strictObject({ code: z.string(), message: z.string(), fix: z.string(), afterMs: z.number().nullable().optional() });
export type KeptFailure = z.infer<typeof KeptFailure>;

/**
 * The log event of one tool call: one JSON line on stdout for each attempt. Names follow the OpenTelemetry GenAI conventions
 * where one exists.
 */
export const ToolCallEvent = z
  .strictObject({
    event: z.literal("tool-call-finished"),
    time: z.iso.datetime().meta({ description: "When the call ended, UTC" }),
    trace_id: z.string().regex(/^[0-9a-f]{32}$/),
    span_id: z.string().regex(/^[0-9a-f]{16}$/),
    "twelve.app": z.string(),
    "twelve.environment": z.string().nullable(),
    "twelve.release.number": z.int().nullable(),
    "twelve.release.digest": Digest,
    "gen_ai.operation.name": z.literal("execute_tool"),
    "gen_ai.agent.name": z.string(),
    "gen_ai.tool.name": z.string(),
    "gen_ai.tool.call.id": z.string().meta({ description: "Unique in its run" }),
    "twelve.run.id": z.string(),
    "twelve.run.step": z.int().meta({ description: "Number of the model call that asked for it" }),
    "twelve.tool.attempt": z.int().meta({ description: "More than 1 where a process was lost in the middle of the call" }),
    "twelve.tool.outcome_unknown": z.boolean().meta({ description: "Whether nobody knows if the call was carried out: it must not be made twice, and was not made again" }),
    "twelve.tool.is_error": z.boolean().meta({ description: "Whether the model was given an error" }),
    "twelve.duration_ms": z.number(),
    "error.type": z.string().nullable(),
    "error.message": z.string().nullable(),
  })
  .meta({ title: "tool-call-finished", description: "One tool call of a run" });
export type ToolCallEvent = z.infer<typeof ToolCallEvent>;

/** The log event of a run that begins to wait for a person, one for each call. */
export const RunWaitingEvent = z
  .strictObject({
    event: z.literal("run-waiting"),
    time: z.iso.datetime(),
    trace_id: z.string().regex(/^[0-9a-f]{32}$/),
    "twelve.app": z.string(),
    "twelve.environment": z.string().nullable(),
    "twelve.release.number": z.int().nullable(),
    "twelve.release.digest": Digest,
    "gen_ai.agent.name": z.string(),
    "gen_ai.tool.name": z.string(),
    "gen_ai.tool.call.id": z.string(),
    "twelve.run.id": z.string(),
    "twelve.run.step": z.int(),
    "twelve.key.name": z.string().nullable().meta({ description: "Name of the API key whose run it is" }),
  })
  .meta({ title: "run-waiting", description: "A run waits for somebody to decide on a call" });
export type RunWaitingEvent = z.infer<typeof RunWaitingEvent>;
