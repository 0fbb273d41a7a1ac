import type { Json } from "../../core/canonical-json.ts";
import { summaryOf, TwelveError } from "../../core/errors.ts";
import type { Message } from "../../ports/model.ts";
import type { OngoingRun } from "../../ports/runs.ts";
import { answerRequest } from "../answer.ts";
import { toldMessage } from "../http/error.ts";
import type { Answer } from "../schema.ts";
import type { Loop } from "./loop.ts";
import { callerOf } from "./group.ts";
import type { KeptFailure, RunInput } from "./schema.ts";
import type { RunTime } from "./deadline.ts";

interface Asking {
  /** From 1. */
  readonly number: number;
  readonly input: RunInput;
  /** What the run has added to the conversation so far. */
  readonly made: readonly Message[];
  /** What earlier calls retrieved; later ones are given the same. */
  readonly retrieved: Answer["retrieved"] | undefined;
  readonly time: RunTime;
}

type ModelStep = { readonly answer: Answer } | { readonly failure: KeptFailure } | { readonly isTimeUp: true };

/** One model call, as one step. The chain's patience comes first; a failure that is left is kept as well, and ends the run. */
export async function askModel(run: OngoingRun, loop: Loop, asking: Asking): Promise<ModelStep> {
  const { number, input } = asking;
  const step = (await run.step(`model ${number}`, { type: "model_call_started", step: number }, async ({ signal }) => (await answerOnce(run, loop, asking, signal)) as unknown as Json)) as unknown as ModelStep;
  await run.tell(`model ${number} finished`, { type: "model_call_finished", step: number, ...factsOf(number, step, input.traceId) });
  return step;
}

async function answerOnce(run: OngoingRun, { agent, tools, answering, live }: Loop, { number, input, made, retrieved, time }: Asking, signal: AbortSignal): Promise<ModelStep> {
  const limit = time.limit(signal);
  if (limit === undefined) return { isTimeUp: true };
  const asked = retrieved === undefined ? agent : { ...agent, search: agent.search && (() => Promise.resolve(retrieved)) };
  const offered = tools().map(({ name, description, parameters }) => ({ name, ...(description === undefined ? {} : { description }), parameters }));
  const { request } = input;
  try {
    const parts = answerRequest(asked, { ...request, messages: [...request.messages, ...made], tools: offered, agent: input.agent, traceId: input.traceId, run: { id: run.id, step: number }, caller: callerOf(run.group), signal: limit.signal }, answering);
    for await (const part of parts) {
      if (part.type === "end") return { answer: part.answer };
      if (part.type === "text") live?.say(number, part.text);
    }
  } catch (error) {
    if (limit.isUp()) return { isTimeUp: true };
    // Stopped or cancelled, it has not failed; and a bug of ours is no answer of a model.
    if (signal.aborted || !(error instanceof TwelveError)) throw error;
    live?.fail(error);
    return { failure: { code: error.code, message: summaryOf(error), fix: error.fix, ...(error.retry === undefined ? {} : { afterMs: error.retry.afterMs }) } };
  }
  throw new Error("A model call ended without its last part");
}

function factsOf(number: number, step: ModelStep, traceId: string): Readonly<Record<string, Json>> {
  if ("isTimeUp" in step) return { error: { code: "time_up", message: "The time of the run was up" } };
  if ("failure" in step) return { error: { code: step.failure.code.toLowerCase(), message: toldMessage(step.failure, traceId) } };
  const { text, toolCalls, finishReason, usage, model, costUsd, latencyMs } = step.answer;
  return {
    model,
    text,
    tool_calls: toolCalls.map((call, index) => ({ call_id: callId(number, index), tool: call.name, arguments: call.arguments })),
    finish_reason: finishReason,
    usage: { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens, cached_input_tokens: usage.cachedInputTokens },
    cost_usd: costUsd,
    latency_ms: Math.round(latencyMs),
  };
}

/** What names a call in its run: providers give IDs that come again in another turn. */
export function callId(step: number, index: number): string {
  return `call_${step}_${index + 1}`;
}
