import { type Digest, digestOf } from "../core/descriptor.ts";
import { summaryOf, TwelveError } from "../core/errors.ts";
import type { FinishReason, ToolCall, Usage } from "../ports/model.ts";
import type { Candidate, FailedAttempt } from "./fallback.ts";
import { costOf, priceTable } from "./price.ts";
import type { RetrievedChunk } from "../retrieval/schema.ts";
import type { ModelCallEvent } from "./schema.ts";
import { scrub } from "../core/scrub.ts";

/** What all calls of one agent have in common; made once, when the release is opened. */
export interface EventFrame {
  readonly app: string;
  readonly environment: string | null;
  readonly releaseNumber: number | null;
  readonly releaseDigest: Digest;
  readonly agent: string;
  readonly promptName: string;
  readonly promptDigest: Digest;
  /** The one that is asked first. */
  readonly model: Candidate;
  readonly index: Digest | null;
  readonly isContentLogged: boolean;
}

/** How one call went. */
export interface CallRecord {
  readonly endedAt: Date;
  readonly traceId: string;
  readonly spanId: string;
  /** The run that it is a step of. */
  readonly run: { readonly id: string; readonly step: number } | undefined;
  /** Name of the API key that asked. */
  readonly caller: string | undefined;
  readonly isStream: boolean;
  readonly temperature: number | undefined;
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  /** The model that was asked last; null before any was. */
  readonly asked: Candidate | null;
  /** Calls that failed before the one that answered or failed last. */
  readonly failed: readonly FailedAttempt[];
  readonly responseModel: string | null;
  readonly responseId: string | null;
  readonly usage: Usage | null;
  readonly isUsageEstimated: boolean;
  readonly finishReason: FinishReason | null;
  readonly durationMs: number;
  readonly retrievalMs: number | null;
  readonly timeToFirstTokenMs: number | null;
  readonly retrieved: readonly RetrievedChunk[];
  readonly isAborted: boolean;
  readonly error: Error | null;
}

/** The log event of a call. The answer itself is in it only when content logging is on, and then scrubbed. */
export function eventOf(frame: EventFrame, call: CallRecord): ModelCallEvent {
  const { usage, timeToFirstTokenMs } = call;
  const { provider, id, ignores = [] } = (call.asked ?? frame.model).model;
  const hasText = call.text !== "" || call.finishReason !== null;
  const error = call.error === null ? noError : errorFields(call.error);
  // Nothing is spread into it: an object of so many fields that is not made at once is copied for every few of them.
  return {
    event: "model-call-finished",
    time: call.endedAt.toISOString(),
    trace_id: call.traceId,
    span_id: call.spanId,
    "twelve.app": frame.app,
    "twelve.environment": frame.environment,
    "twelve.release.number": frame.releaseNumber,
    "twelve.release.digest": frame.releaseDigest,
    "gen_ai.operation.name": "chat",
    "gen_ai.agent.name": frame.agent,
    "gen_ai.prompt.name": frame.promptName,
    "gen_ai.prompt.version": frame.promptDigest,
    "gen_ai.provider.name": provider,
    "gen_ai.request.model": id,
    "gen_ai.response.model": call.responseModel,
    "gen_ai.response.id": call.responseId,
    "gen_ai.request.stream": call.isStream,
    "gen_ai.request.temperature": ignores.includes("temperature") ? null : (call.temperature ?? null),
    "gen_ai.usage.input_tokens": usage?.inputTokens ?? null,
    "gen_ai.usage.output_tokens": usage?.outputTokens ?? null,
    "gen_ai.usage.cache_read.input_tokens": usage?.cachedInputTokens ?? null,
    "twelve.usage.estimated": call.isUsageEstimated,
    "gen_ai.response.time_to_first_chunk": timeToFirstTokenMs === null ? null : Math.round(timeToFirstTokenMs * 1000) / 1e6,
    // A stream that was cut off has no reason of its own; the conventions call that "error".
    "gen_ai.response.finish_reasons": [call.finishReason ?? "error"],
    "twelve.duration_ms": round(call.durationMs),
    "twelve.retrieval_ms": call.retrievalMs === null ? null : round(call.retrievalMs),
    "twelve.cost.amount": costOf(provider, call.responseModel ?? id, usage),
    "twelve.cost.currency": "USD",
    "twelve.cost.price_table": priceTable,
    "twelve.index.ref": frame.index,
    "gen_ai.retrieval.documents": call.retrieved.map(({ id, score }) => ({ id, score })),
    "twelve.response.digest": hasText ? digestOf(call.text) : null,
    "twelve.response.text": frame.isContentLogged && hasText ? scrub(call.text) : null,
    "twelve.aborted": call.isAborted,
    "twelve.fallback.used": call.asked !== null && call.asked.reference !== frame.model.reference,
    "twelve.fallback.failed": call.failed.map(({ reference, error }) => ({ model: reference, ...errorFields(error) })),
    "twelve.run.id": call.run?.id,
    "twelve.run.step": call.run?.step,
    "twelve.key.name": call.caller,
    "error.type": error["error.type"],
    "error.message": error["error.message"],
  };
}

export const noError = { "error.type": null, "error.message": null } as const;

export function errorFields(error: Error): { readonly "error.type": string; readonly "error.message": string } {
  if (error instanceof TwelveError) return { "error.type": error.code, "error.message": scrub(summaryOf(error)) };
  return { "error.type": error.name, "error.message": scrub(error.message) };
}

/** Microseconds are enough, and keep the line short. */
function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
