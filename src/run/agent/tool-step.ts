import type { Json } from "../../core/canonical-json.ts";
import { digestOf } from "../../core/descriptor.ts";
import { summaryOf, TwelveError } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest.ts";
import { wait } from "../../core/patience.ts";
import { retrying } from "../../core/retry.ts";
import type { ToolCall } from "../../ports/model.ts";
import type { Attempt, OngoingRun } from "../../ports/runs.ts";
import type { OpenTool, ToolResult } from "../../ports/tool.ts";
import type { RunTime } from "./deadline.ts";
import type { Loop } from "./loop.ts";
import type { RunInput } from "./schema.ts";
import { toolEvent } from "./tool-event.ts";

/** A call that the model asked for, and the tool that it means. */
export interface AskedCall {
  readonly id: string;
  /** Number of the model call that asked. */
  readonly step: number;
  readonly call: ToolCall;
  /** The arguments as a value, or why they are none. */
  readonly given: { readonly value: Json } | { readonly problem: string };
  readonly tool: OpenTool | undefined;
  /** A person said no, and perhaps why. */
  readonly refusal: string | null | undefined;
}

export interface CallOutcome extends ToolResult {
  /** Nobody knows whether it was carried out. */
  readonly isUnknown: boolean;
  readonly latencyMs: number;
}

interface Calling {
  readonly input: RunInput;
  readonly time: RunTime;
}

/** After these a call was not carried out: the service has said no, or was never asked. After any other failure it may have been. */
const clear: ReadonlySet<string> = new Set(["ADDRESS_REFUSED", "TOOL_INVALID", "SERVICE_UNAUTHENTICATED", "SERVICE_DENIED", "SERVICE_NOT_FOUND", "SERVICE_REJECTED", "SERVICE_LIMITED", "SERVICE_QUOTA"]);
/** Where asking a tool again can help: three times, soon. */
const patience = { attempts: 3, longestMs: 5000 };
/** Longer results are told with their beginning and their digest; the model is given them whole. */
const toldLength = 16_384;

/** One tool call, as one step. Whatever is wrong with it is told to the model. */
export async function callTool(run: OngoingRun, loop: Loop, asked: AskedCall, calling: Calling): Promise<CallOutcome> {
  const { id, step, call, tool } = asked;
  const facts = { step, call_id: id, tool: call.name, arguments: call.arguments };
  const mayRepeat = tool?.isIdempotent ?? true;
  const outcome = (await run.step(`tool ${id}`, { type: "tool_call_started", ...facts }, async (attempt) => (await perform(run, loop, asked, { ...calling, attempt })) as unknown as Json, { isFinished: !mayRepeat })) as unknown as CallOutcome;
  const { content, isError, isUnknown, latencyMs } = outcome;
  const result = content.length <= toldLength ? { result: content } : { result: content.slice(0, toldLength), result_is_cut: true };
  await run.tell(`tool ${id} finished`, { type: "tool_call_finished", ...facts, ...result, result_digest: digestOf(content), is_error: isError, outcome_unknown: isUnknown, latency_ms: latencyMs });
  return outcome;
}

interface Performing extends Calling {
  readonly attempt: Attempt;
}

async function perform(run: OngoingRun, { agent, answering, onToolCall }: Loop, asked: AskedCall, { input, time, attempt }: Performing): Promise<CallOutcome> {
  const { clock } = answering;
  const startMs = clock.monotonicMs();
  const { result, error, isUnknown, brokenOff } = await attemptCall(run, asked, { input, time, attempt, spanId: clock.randomHex(8) });
  const latencyMs = Math.round(clock.monotonicMs() - startMs);
  const outcome: CallOutcome = { content: result.content, isError: result.isError, isUnknown, latencyMs };
  onToolCall(toolEvent(agent.frame, { time: clock.now(), traceId: input.traceId, spanId: clock.randomHex(8), run: run.id, step: asked.step, callId: asked.id, tool: asked.call.name, attempt: attempt.number, outcome, error }));
  if (brokenOff !== undefined) throw brokenOff.reason;
  return outcome;
}

interface Attempted {
  readonly result: ToolResult;
  readonly isUnknown: boolean;
  readonly error?: Error;
  /** The run was cancelled in the middle of the call, or its process stops: there is no outcome to go on with. */
  readonly brokenOff?: { readonly reason: unknown };
}

async function attemptCall(run: OngoingRun, { id, call, given, tool, refusal }: AskedCall, { input, time, attempt, spanId }: Performing & { readonly spanId: string }): Promise<Attempted> {
  const told = (content: string, isUnknown = false): Attempted => ({ result: { content, isError: true }, isUnknown });
  if (refusal !== undefined) return told(`A person refused this call${refusal === null ? "" : `: ${refusal}`}`);
  if ("problem" in given) return told(given.problem);
  if (tool === undefined) throw new Error("A call without a tool has a problem");
  if (attempt.number > 1 && !tool.isIdempotent) return told(`The outcome of this call is unknown: the process that made it was lost before it told. The call was not made again, because ${call.name} must not be called twice for one purpose. Find out what became of it before you ask for it again`, true);
  const limit = time.limit(attempt.signal);
  if (limit === undefined) return told("The time of the run was up before this call");
  const options = { signal: limit.signal, callId: `${run.id}/${id}`, run: run.id, agent: input.agent, user: input.user, traceparent: `00-${input.traceId}-${spanId}-01` };
  const once = (): Promise<ToolResult> => tool.call(given.value, options);
  try {
    const result = await (tool.isIdempotent ? patiently(once, limit.signal) : once());
    return { result, isUnknown: !tool.isIdempotent && result.isUnknown === true };
  } catch (error) {
    const isUnknown = !tool.isIdempotent && !isClear(error);
    if (attempt.signal.aborted) return { ...told("The call was broken off", isUnknown), brokenOff: { reason: error }, error: asError(error) };
    const doubt = isUnknown ? ". Whether it was carried out is unknown" : "";
    if (limit.isUp()) return { ...told(`The time of the run was up during this call${doubt}`, isUnknown) };
    // A tool that throws what it should not is its author's matter, and the model's next move.
    const failure = asError(error);
    return { ...told(`The call failed: ${failure instanceof TwelveError ? summaryOf(failure) : failure.message}${doubt}`, isUnknown), error: failure };
  }
}

function isClear(error: unknown): boolean {
  return error instanceof TwelveError && (error.isUnsent || clear.has(error.code));
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function patiently(once: () => Promise<ToolResult>, signal: AbortSignal): Promise<ToolResult> {
  return retrying(once, { sleep: (ms) => wait(ms, signal), random: Math.random, onRetry: () => {}, isWorthIt: (waitMs, attempt) => attempt < patience.attempts && waitMs <= patience.longestMs });
}

/** What the model asked for, looked up. */
export function readCall(call: ToolCall, { id, step, tools }: { readonly id: string; readonly step: number; readonly tools: readonly OpenTool[] }): AskedCall {
  const tool = tools.find(({ name }) => name === call.name);
  const names = tools.map(({ name }) => name);
  const asked = { id, step, call, tool, refusal: undefined };
  if (tool === undefined) return { ...asked, given: { problem: `There is no tool ${JSON.stringify(call.name)}.${didYouMean(call.name, names)} There is: ${names.join(", ") || "none"}` } };
  try {
    return { ...asked, given: { value: JSON.parse(call.arguments === "" ? "{}" : call.arguments) as Json } };
  } catch (error) {
    return { ...asked, given: { problem: `The arguments are no JSON: ${(error as Error).message}` } };
  }
}
