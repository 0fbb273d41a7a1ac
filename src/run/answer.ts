import { TwelveError } from "../core/errors.ts";
import { countTokens } from "../core/tokens.ts";
import type { Clock } from "../ports/clock.ts";
import type { Message, ModelEnd, ModelRequest, Usage } from "../ports/model.ts";
import { citationsIn } from "./citation.ts";
import { readConversation } from "./conversation.ts";
import { type CallRecord, type EventFrame, eventOf } from "./event.ts";
import { askModels, type Candidate, type Patience } from "./fallback.ts";
import type { Render } from "./message.ts";
import type { AgentPlan } from "./plan.ts";
import { costOf } from "./price.ts";
import type { RetrievedChunk } from "../retrieval/schema.ts";
import type { Answer, AnswerPart, AnswerRequest, ModelCallEvent } from "./schema.ts";
import { fitToWindow } from "./session/window-plan.ts";

/** One agent with everything it needs to answer. */
export interface OpenAgent {
  readonly plan: AgentPlan;
  /** In the order in which they are asked. */
  readonly models: readonly Candidate[];
  readonly render: Render;
  /** What the question is searched in; absent for an agent that retrieves nothing. */
  readonly search: ((question: string, signal: AbortSignal | undefined) => Promise<readonly RetrievedChunk[]>) | undefined;
  readonly frame: EventFrame;
}

export interface AnswerContext {
  readonly clock: Clock;
  readonly emit: (event: ModelCallEvent) => void;
  /** That of somebody who waits where nothing is said. */
  readonly patience?: Patience;
  readonly sleep?: (ms: number) => Promise<void>;
  /** Told which model answers, and what failed before. */
  readonly onAnswer?: (agent: string, candidate: Candidate, failed: CallRecord["failed"]) => void;
}

type Open<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * Retrieves, renders, asks the model and streams what it says. Exactly one event is written for every call: after the
 * answer, after a failure, and when the reader goes away.
 */
export async function* answerRequest(agent: OpenAgent, request: AnswerRequest, context: AnswerContext): AsyncGenerator<AnswerPart> {
  const { clock, emit } = context;
  const startedMs = clock.monotonicMs();
  const call = openCall(agent, request, clock);
  let messages: readonly Message[] = [];
  let reasoning: ModelEnd["reasoning"];
  /** Of calls that have not come to their end, too. */
  let callPieces = "";
  try {
    const conversation = readConversation(request.messages);
    const { question } = conversation;
    call.retrieved = (await agent.search?.(question, request.signal)) ?? [];
    if (agent.search !== undefined) {
      call.retrievalMs = clock.monotonicMs() - startedMs;
      request.onRetrieved?.(call.retrieved);
    }
    request.signal?.throwIfAborted();
    messages = agent.render(conversation, call.retrieved, request.variables);
    const { contextTokens, sampling } = agent.plan;
    if (request.isTrimmable === true && contextTokens !== undefined) messages = fitToWindow(messages, conversation.history, { contextTokens, maxTokens: request.maxTokens ?? sampling.maxTokens, tools: request.tools });
    const chunks = await askModels(agent.models, modelRequest(agent.plan, request, { messages, question, earlier: conversation.history, retrieved: call.retrieved }), {
      clock,
      patience: context.patience,
      sleep: context.sleep,
      onAsk: (candidate) => void (call.asked = candidate),
      onFailure: (attempt) => void (call.failed = [...call.failed, attempt]),
    });
    if (call.asked !== null) context.onAnswer?.(agent.plan.name, call.asked, call.failed);
    for await (const chunk of chunks) {
      if (chunk.type === "text") {
        call.timeToFirstTokenMs ??= clock.monotonicMs() - startedMs;
        call.text += chunk.text;
        yield chunk;
        continue;
      }
      // What the model thinks aloud is no part of the answer.
      if (chunk.type === "reasoning") continue;
      if (chunk.type === "tool_call") {
        call.toolCalls = [...call.toolCalls, chunk.call];
        continue;
      }
      if (chunk.type === "call_part") {
        call.timeToFirstTokenMs ??= clock.monotonicMs() - startedMs;
        callPieces += (chunk.begun?.name ?? "") + chunk.arguments;
        yield chunk;
        continue;
      }
      if (chunk.passages !== undefined) call.retrieved = chunk.passages.map((hit, position) => ({ number: position + 1, ...hit, scores: {} }));
      call.usage = chunk.usage;
      call.finishReason = chunk.finishReason;
      call.responseModel = chunk.model;
      call.responseId = chunk.responseId ?? null;
      call.isUsageEstimated = chunk.isUsageEstimated === true;
      reasoning = chunk.reasoning;
    }
    if (call.finishReason === null || call.usage === null || call.asked === null) throw new TwelveError("SERVICE_CUT", `The model ${call.asked?.reference} broke off its answer`);
    if (call.finishReason === "error") throw new TwelveError("SERVICE_FAILED", `The model ${call.asked?.reference} ended its answer with an error`);
    call.durationMs = clock.monotonicMs() - startedMs;
    const answer = completeAnswer(call, call.asked, call.usage);
    yield { type: "end", answer: reasoning === undefined ? answer : { ...answer, reasoning } };
  } catch (error) {
    call.error = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    const isCut = call.finishReason === null;
    if (isCut) {
      call.durationMs = clock.monotonicMs() - startedMs;
      // Cut by the process itself at the end of its time, the call has an error of its own.
      call.isAborted = !(call.error instanceof TwelveError) && (call.error === null || request.signal?.aborted === true);
      estimateUsage(call, messages, { callPieces, isCutHere: call.isAborted || request.signal?.aborted === true });
    }
    call.endedAt = clock.now();
    emit(eventOf(agent.frame, call));
  }
}

function openCall({ plan }: OpenAgent, request: AnswerRequest, clock: Clock): Open<CallRecord> {
  return {
    endedAt: new Date(0),
    traceId: request.traceId,
    spanId: request.spanId ?? clock.randomHex(8),
    run: request.run,
    caller: request.caller ?? undefined,
    isStream: request.isStream,
    temperature: request.temperature ?? plan.sampling.temperature,
    text: "",
    toolCalls: [],
    asked: null,
    failed: [],
    responseModel: null,
    responseId: null,
    usage: null,
    isUsageEstimated: false,
    finishReason: null,
    durationMs: 0,
    retrievalMs: null,
    timeToFirstTokenMs: null,
    retrieved: [],
    isAborted: false,
    error: null,
  };
}

interface Asked {
  readonly messages: readonly Message[];
  readonly question: string;
  readonly earlier: readonly Message[];
  readonly retrieved: readonly RetrievedChunk[];
}

/** What the caller says about the words wins over the release, one by one. */
function modelRequest({ name, sampling }: AgentPlan, request: AnswerRequest, { messages, question, earlier, retrieved }: Asked): ModelRequest {
  return {
    temperature: request.temperature ?? sampling.temperature,
    topP: request.topP ?? sampling.topP,
    maxTokens: request.maxTokens ?? sampling.maxTokens,
    stop: request.stop ?? sampling.stop,
    seed: request.seed ?? sampling.seed,
    effort: request.effort ?? sampling.effort,
    format: request.format ?? sampling.format,
    schema: request.schema ?? sampling.schema,
    tools: request.tools,
    toolChoice: request.toolChoice,
    isSingleCall: request.isSingleCall,
    isCallStreamed: isCallStreamed(request),
    signal: request.signal,
    isWhole: !request.isStream,
    messages,
    question,
    agent: name,
    earlier,
    passages: retrieved,
  };
}

/** To a caller that makes the calls. Whoever waits for them whole loses none of the attempts that a piece would end. */
export function isCallStreamed({ isStream, tools, run }: AnswerRequest): boolean {
  return isStream && tools !== undefined && run === undefined;
}

function completeAnswer(call: CallRecord, { reference, model }: Candidate, usage: Usage): Answer {
  const { text, toolCalls, retrieved, responseModel, durationMs, timeToFirstTokenMs } = call;
  const name = responseModel ?? model.id;
  return {
    text,
    toolCalls,
    finishReason: call.finishReason ?? "stop",
    usage,
    reference,
    model: name,
    retrieved,
    citations: citationsIn(text, retrieved),
    latencyMs: durationMs,
    timeToFirstTokenMs,
    costUsd: costOf(model.provider, name, usage),
  };
}

/** What was sent and received before a call was cut off is still paid for, so it is counted as well as we can. */
function estimateUsage(call: Open<CallRecord>, messages: readonly Message[], { callPieces, isCutHere }: { readonly callPieces: string; readonly isCutHere: boolean }): void {
  // A model that failed before it said anything has taken nothing that is known.
  const isPaid = isCutHere || call.text !== "" || callPieces !== "" || call.toolCalls.length > 0;
  if (call.asked === null || !isPaid) return;
  const inputTokens = sumOf(messages.map(({ content }) => content));
  // Calls that came in pieces come whole, too, where they came to their end.
  const callTokens = Math.max(countTokens(callPieces), sumOf(call.toolCalls.map(({ name, arguments: given }) => name + given)));
  call.usage = { inputTokens, outputTokens: countTokens(call.text) + callTokens, cachedInputTokens: 0 };
  call.isUsageEstimated = true;
}

function sumOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + countTokens(text), 0);
}
