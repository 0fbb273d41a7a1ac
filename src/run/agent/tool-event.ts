import { errorFields, type EventFrame, noError } from "../event.ts";
import type { RunWaitingEvent, ToolCallEvent } from "./schema.ts";

interface ToolCallRecord {
  readonly time: Date;
  readonly traceId: string;
  readonly spanId: string;
  readonly run: string;
  readonly step: number;
  readonly callId: string;
  readonly tool: string;
  readonly attempt: number;
  readonly outcome: { readonly isError: boolean; readonly isUnknown: boolean; readonly latencyMs: number };
  readonly error: Error | undefined;
}

/** The log event of a tool call. Arguments and results are the user's, and not in it. */
export function toolEvent(frame: EventFrame, { outcome, error, ...call }: ToolCallRecord): ToolCallEvent {
  return {
    event: "tool-call-finished",
    time: call.time.toISOString(),
    trace_id: call.traceId,
    span_id: call.spanId,
    "twelve.app": frame.app,
    "twelve.environment": frame.environment,
    "twelve.release.number": frame.releaseNumber,
    "twelve.release.digest": frame.releaseDigest,
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.agent.name": frame.agent,
    "gen_ai.tool.name": call.tool,
    "gen_ai.tool.call.id": call.callId,
    "twelve.run.id": call.run,
    "twelve.run.step": call.step,
    "twelve.tool.attempt": call.attempt,
    "twelve.tool.outcome_unknown": outcome.isUnknown,
    "twelve.tool.is_error": outcome.isError,
    "twelve.duration_ms": outcome.latencyMs,
    ...(error === undefined ? noError : errorFields(error)),
  };
}

interface Question extends Pick<ToolCallRecord, "time" | "traceId" | "run" | "step" | "callId" | "tool"> {
  /** Name of the API key whose run it is. */
  readonly key: string | null;
}

/** The log event of a call that waits for a person. What it would do is the user's, and not in it. */
export function waitingEvent(frame: EventFrame, { key, ...call }: Question): RunWaitingEvent {
  return {
    event: "run-waiting",
    time: call.time.toISOString(),
    trace_id: call.traceId,
    "twelve.app": frame.app,
    "twelve.environment": frame.environment,
    "twelve.release.number": frame.releaseNumber,
    "twelve.release.digest": frame.releaseDigest,
    "gen_ai.agent.name": frame.agent,
    "gen_ai.tool.name": call.tool,
    "gen_ai.tool.call.id": call.callId,
    "twelve.run.id": call.run,
    "twelve.run.step": call.step,
    "twelve.key.name": key,
  };
}
