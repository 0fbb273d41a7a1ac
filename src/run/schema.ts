import { z } from "zod";
import type { Json } from "../core/canonical-json.ts";
import { Digest } from "../core/descriptor.ts";
import type { RetrievedChunk } from "../retrieval/schema.ts";
import type { SessionKey } from "../ports/session.ts";
import type { Retrieval } from "./retrieve.ts";
import type { CallPart, FinishReason, Message, Sampling, Tool, ToolCall, ToolChoice, Usage } from "../ports/model.ts";

/**
 * The log event of one model call: one JSON line on stdout. Names follow the OpenTelemetry GenAI conventions
 * (status Development, November 2026) where one exists; the others are under `twelve.`.
 */
export const ModelCallEvent = z
  .strictObject({
    event: z.literal("model-call-finished"),
    time: z.iso.datetime().meta({ description: "When the call ended, UTC" }),
    trace_id: z.string().regex(/^[0-9a-f]{32}$/).meta({ description: "W3C trace ID, from `traceparent` or new" }),
    span_id: z.string().regex(/^[0-9a-f]{16}$/),
    "twelve.app": z.string(),
    "twelve.environment": z.string().nullable(),
    "twelve.release.number": z.int().nullable().meta({ description: "3 for v3" }),
    "twelve.release.digest": Digest,
    "gen_ai.operation.name": z.literal("chat"),
    "gen_ai.agent.name": z.string(),
    "gen_ai.prompt.name": z.string(),
    "gen_ai.prompt.version": Digest.meta({ description: "Digest of the compiled prompt" }),
    "gen_ai.provider.name": z.string().meta({ description: "Provider of the model that was asked last: the one that answered, where one did" }),
    "gen_ai.request.model": z.string().meta({ description: "That model's ID as the release names it" }),
    "gen_ai.response.model": z.string().nullable(),
    "gen_ai.response.id": z.string().nullable(),
    "gen_ai.request.stream": z.boolean(),
    "gen_ai.request.temperature": z.number().nullable(),
    "gen_ai.usage.input_tokens": z.int().nullable().meta({ description: "All input tokens, cached ones included" }),
    "gen_ai.usage.output_tokens": z.int().nullable(),
    "gen_ai.usage.cache_read.input_tokens": z.int().nullable(),
    "twelve.usage.estimated": z.boolean().meta({ description: "Whether the tokens are our own estimate: the call was cut off before the provider counted, or the provider does not count" }),
    "gen_ai.response.time_to_first_chunk": z.number().nullable().meta({ description: "Seconds" }),
    "gen_ai.response.finish_reasons": z.array(z.string()),
    "twelve.duration_ms": z.number().meta({ description: "From the request to the last chunk, retrieval included" }),
    "twelve.retrieval_ms": z.number().nullable(),
    "twelve.cost.amount": z.number().nullable().meta({ description: "null when the price is unknown, never 0 for that" }),
    "twelve.cost.currency": z.literal("USD"),
    "twelve.cost.price_table": z.string().meta({ description: "Version of the price table" }),
    "twelve.index.ref": Digest.nullable().meta({ description: "Digest of the index that was searched" }),
    "gen_ai.retrieval.documents": z.array(z.strictObject({ id: z.string(), score: z.number() })),
    "twelve.response.digest": Digest.nullable(),
    "twelve.response.text": z.string().nullable().meta({ description: "The scrubbed answer, only when content logging is on" }),
    "twelve.aborted": z.boolean().meta({ description: "Whether the client went away" }),
    "twelve.fallback.used": z.boolean().meta({ description: "Whether another model than the agent's first was asked last" }),
    "twelve.fallback.failed": z
      .array(z.strictObject({ model: z.string().meta({ description: "Reference, such as bedrock:a" }), "error.type": z.string(), "error.message": z.string() }))
      .meta({ description: "Attempts that failed before the last one, in their order; the first model stands first" }),
    "twelve.run.id": z.string().optional().meta({ description: "The run of an agent with tools that the call is a step of" }),
    "twelve.run.step": z.int().optional().meta({ description: "Number of the model call in its run, from 1" }),
    "twelve.key.name": z.string().optional().meta({ description: "Name of the API key that asked, where there are keys" }),
    "error.type": z.string().nullable(),
    "error.message": z.string().nullable(),
  })
  .meta({ title: "model-call-finished", description: "One model call of a run" });
export type ModelCallEvent = z.infer<typeof ModelCallEvent>;

/** What a caller of the HTTP API may set for one answer; everything else is frozen in the release. */
export interface AnswerRequest extends Sampling {
  readonly agent: string;
  /** The conversation; the last user message is the question. */
  readonly messages: readonly Message[];
  /** Further variables of the agent's prompt. */
  readonly variables: Readonly<Record<string, Json>>;
  readonly isStream: boolean;
  /** The conversation that this is the next turn of; `messages` then holds the new turn alone. */
  readonly session?: SessionKey;
  /** What of the messages is that turn, once what was said before stands in front of it. */
  readonly said?: readonly Message[];
  /** Whether the oldest turns of the conversation may be left out where the model has no room for them: it was the server that put them there. */
  readonly isTrimmable?: boolean;
  /** What the caller lets the model call; the calls are its answer, and the caller's business. */
  readonly tools?: readonly Tool[] | undefined;
  readonly toolChoice?: ToolChoice | undefined;
  /** At most one tool is wanted called at a time. */
  readonly isSingleCall?: boolean | undefined;
  /** W3C trace ID (32 hex digits) that the call belongs to. */
  readonly traceId: string;
  /** W3C span ID (16 hex digits) of the call; a new one when the caller has told nobody. */
  readonly spanId?: string;
  readonly signal?: AbortSignal | undefined;
  /** Told what was found, before the model is asked. */
  readonly onRetrieved?: (retrieved: readonly RetrievedChunk[]) => void;
  /** Name of the API key that asks; null where there are none. */
  readonly caller?: string | null;
  /** Whom the caller asks for, as the request says: tools are told. The caller's own name where it is left out. */
  readonly user?: string;
  /** Of a request that may be sent again: names the run that answers it each time, which goes on without a reader. */
  readonly runId?: string | undefined;
  /** Told the ID of the run that answers, before anything else happens, where the agent has tools. */
  readonly onRun?: (id: string) => void;
  /** Told its ID again when it is there, and can be followed. */
  readonly onRunBegun?: (id: string) => void;
  /** Of one model call of a run: which one it is. */
  readonly run?: { readonly id: string; readonly step: number };
}

export interface Answer {
  readonly text: string;
  /** What the model wants called; none unless it was offered tools. */
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: FinishReason;
  readonly usage: Usage;
  /** The model that answered, as the release names it. */
  readonly reference: string;
  /** The model that answered, as the provider names it. */
  readonly model: string;
  readonly retrieved: readonly RetrievedChunk[];
  /** The retrieved chunks whose numbers the text cites, in order of first mention. */
  readonly citations: readonly RetrievedChunk[];
  readonly latencyMs: number;
  readonly timeToFirstTokenMs: number | null;
  /** US dollars; null when the price is unknown. */
  readonly costUsd: number | null;
  /** Of one model call: reasoning blocks in the provider's own form, for `Message.reasoning` of the next one. */
  readonly reasoning?: readonly Json[];
  /** Of an agent with tools: the messages that the turn adds to the conversation, calls and results included, the answer last. */
  readonly made?: readonly Message[];
}

/** Pieces of calls only come to a caller that has tools of its own and reads a stream; the answer has each call whole. */
export type AnswerPart = { readonly type: "text"; readonly text: string } | CallPart | { readonly type: "end"; readonly answer: Answer };

/** One release, opened: what `run` serves and `eval` measures, by the same path. Made by `openRuntime` in `apply.ts`. */
export interface Runtime extends Retrieval {
  /** Names of the agents it can answer for. */
  readonly agents: readonly string[];
  /** Streams one answer and writes one event to the log, also after a failure or an abort. */
  answer(request: AnswerRequest): AsyncIterable<AnswerPart>;
  close(): Promise<void>;
}
