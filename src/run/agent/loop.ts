import { eitherOf } from "../../core/abort.ts";
import { type FailureCode, TwelveError } from "../../core/errors.ts";
import { failures } from "../../core/failures.ts";
import type { Message, ToolCall } from "../../ports/model.ts";
import type { OngoingRun } from "../../ports/runs.ts";
import type { OpenTool } from "../../ports/tool.ts";
import type { AnswerContext, OpenAgent } from "../answer.ts";
import { citationsIn } from "../citation.ts";
import type { Answer } from "../schema.ts";
import { limitReached, nothingSpent, spend, type Spent } from "./budget-plan.ts";
import { between } from "./channel.ts";
import { openRunTime, type RunTime } from "./deadline.ts";
import { callerOf } from "./group.ts";
import { askModel, callId } from "./model-step.ts";
import type { KeptFailure, RunInput, RunLimit, RunOutcome, RunWaitingEvent, ToolCallEvent } from "./schema.ts";
import { waitingEvent } from "./tool-event.ts";
import { type AskedCall, callTool, type CallOutcome, readCall } from "./tool-step.ts";

/** What a run needs of the process that it is in. */
export interface Loop {
  readonly agent: OpenAgent;
  /** What the agent may call now. */
  readonly tools: () => readonly OpenTool[];
  readonly answering: AnswerContext;
  /** Takes the log event of each tool call, and of each that waits for a person. */
  readonly onToolCall: (event: ToolCallEvent | RunWaitingEvent) => void;
  /** Somebody who reads along in this process. */
  readonly live: Live | undefined;
}

export interface Live {
  /** Aborted when nobody reads any more. */
  readonly signal: AbortSignal;
  say(step: number, text: string): void;
  /** Why a model call failed, and with it the run. What is kept of it says less. */
  fail(failure: TwelveError): void;
}

/**
 * Asks the model and calls tools in turn until the model needs none any more, or a limit ends it. All that it decides by comes from
 * recorded steps, so that another process that goes on decides alike.
 */
export async function runLoop(input: RunInput, given: OngoingRun, loop: Loop): Promise<RunOutcome> {
  const { plan } = loop.agent;
  const run = loop.live === undefined ? given : endedWith(given, loop.live.signal);
  const startedMs = Number(await run.step("start", { type: "run_started", agent: input.agent, release: input.release }, () => Promise.resolve(loop.answering.clock.now().getTime())));
  const time = openRunTime(loop.answering.clock, startedMs, plan.limits.seconds);
  // Nobody pays for a look at a time that is not limited.
  if (plan.limits.seconds !== undefined) time.waited(await run.restedMs());
  const made: Message[] = [];
  const answers: Answer[] = [];
  let spent = nothingSpent;
  let isLate = false;
  const end = (limit: RunLimit | null): RunOutcome => outcomeOf({ limit, answers, spent, made, isLate });
  for (let number = 1; ; number++) {
    const step = await askModel(run, loop, { number, input, made, retrieved: passagesOf(answers), time });
    if ("isTimeUp" in step) return end("seconds");
    if ("failure" in step) throw revive(step.failure);
    const { answer } = step;
    answers.push(answer);
    spent = spend(spent, answer);
    if (answer.toolCalls.length === 0) return end(null);
    // What no model would read is not called for.
    const limit = limitReached(plan.limits, spent);
    if (limit !== undefined) return end(limit);
    const called = await callTools(run, loop, { input, time, step: number, calls: answer.toolCalls });
    made.push(messageOf(answer), ...called.results);
    isLate ||= called.isLate;
  }
}

/** Its steps end with the signal, too. */
function endedWith(run: OngoingRun, signal: AbortSignal): OngoingRun {
  return {
    ...run,
    step: (name, begun, work, options) => run.step(name, begun, async (attempt) => {
      const either = eitherOf(attempt.signal, signal);
      try {
        return await work({ ...attempt, signal: either.signal });
      } finally {
        either.leave();
      }
    }, options),
  };
}

interface Turn {
  readonly input: RunInput;
  readonly time: RunTime;
  readonly step: number;
  readonly calls: readonly ToolCall[];
}

/** Asks for all approvals first, so that a person sees them together, and nothing is half done while somebody thinks. */
async function callTools(run: OngoingRun, loop: Loop, { input, time, step, calls }: Turn): Promise<{ readonly results: readonly Message[]; readonly isLate: boolean }> {
  const tools = loop.tools();
  const read = calls.map((call, index) => readCall(call, { id: callId(step, index), step, tools }));
  const questions = read.filter(({ tool, given }) => tool?.needsApproval === true && !("problem" in given));
  const asked = questions.length === 0 ? read : await withApprovals(run, read, { questions, time, onAsked: askedLog(run, loop, { input, questions }) });
  const perform = (call: AskedCall): Promise<CallOutcome> => callTool(run, loop, call, { input, time });
  const outcomes: CallOutcome[] = [];
  if (asked.every(({ tool }) => tool?.isIdempotent !== false)) outcomes.push(...(await together(asked.map(perform))));
  else for (const call of asked) outcomes.push(await perform(call));
  const results = outcomes.map(({ content, isError }, index): Message => ({ role: "tool", content, toolCallId: calls[index]?.id ?? "", ...(isError ? { isError } : {}) }));
  return { results, isLate: questions.length > 0 };
}

/** The first failure, once all have ended: a step that goes on alone would be recorded in a run that is over. */
async function together<Result>(working: readonly Promise<Result>[]): Promise<readonly Result[]> {
  await Promise.allSettled(working);
  return Promise.all(working);
}

async function withApprovals(run: OngoingRun, asked: readonly AskedCall[], { questions, time, onAsked }: { readonly questions: readonly AskedCall[]; readonly time: RunTime; readonly onAsked: (id: string) => void }): Promise<readonly AskedCall[]> {
  const { decisions, waitedMs } = await run.wait(Object.fromEntries(questions.map(({ id, step, call }) => [id, { type: "approval_requested", step, call_id: id, tool: call.name, arguments: call.arguments }])), onAsked);
  time.waited(waitedMs);
  return asked.map((each) => {
    const decision = decisions[each.id] as { readonly approve: boolean; readonly reason: string | null } | undefined;
    return decision === undefined || decision.approve ? each : { ...each, refusal: decision.reason };
  });
}

function askedLog(run: OngoingRun, { agent, answering, onToolCall }: Loop, { input, questions }: { readonly input: RunInput; readonly questions: readonly AskedCall[] }): (id: string) => void {
  return (id) => {
    const asked = questions.find((question) => question.id === id);
    if (asked === undefined) return;
    onToolCall(waitingEvent(agent.frame, { time: answering.clock.now(), traceId: input.traceId, run: run.id, step: asked.step, callId: id, tool: asked.call.name, key: callerOf(run.group) }));
  };
}

function messageOf({ text, toolCalls, reasoning }: Answer): Message {
  return { role: "assistant", content: text, ...(toolCalls.length === 0 ? {} : { toolCalls }), ...(reasoning === undefined ? {} : { reasoning }) };
}

interface Ended {
  readonly limit: RunLimit | null;
  readonly answers: readonly Answer[];
  readonly spent: Spent;
  readonly made: readonly Message[];
  readonly isLate: boolean;
}

function outcomeOf({ limit, answers, spent, made, isLate }: Ended): RunOutcome {
  const last = answers.at(-1);
  const text = answers.map((answer) => answer.text).filter((said) => said !== "").join(between);
  const retrieved = passagesOf(answers) ?? [];
  const output = last?.text ?? "";
  // Calls that were never answered are no part of a conversation.
  const closing: readonly Message[] = limit === null || output !== "" ? [{ role: "assistant", content: output }] : [];
  const turn = [...made, ...closing];
  const answer: Answer = {
    text,
    toolCalls: [],
    finishReason: limit === null ? (last?.finishReason ?? "stop") : "length",
    usage: spent.usage,
    reference: last?.reference ?? "",
    model: last?.model ?? "",
    retrieved,
    citations: citationsIn(text, retrieved),
    latencyMs: answers.reduce((sum, { latencyMs }) => sum + latencyMs, 0),
    timeToFirstTokenMs: answers[0]?.timeToFirstTokenMs ?? null,
    costUsd: spent.costUsd,
    made: turn,
  };
  return { limit, output, answer, isLate, made: turn };
}

/** What was retrieved for the run; a model that answers with passages of its own, as a scripted one does, may bring them at any step. */
function passagesOf(answers: readonly Answer[]): Answer["retrieved"] | undefined {
  return (answers.findLast(({ retrieved }) => retrieved.length > 0) ?? answers[0])?.retrieved;
}

/** A failure as it was before it was kept. */
export function revive({ code, message, fix, afterMs }: KeptFailure): Error {
  if (!Object.hasOwn(failures, code)) return new Error(message);
  return new TwelveError(code as FailureCode, message, { fix, ...(afterMs === undefined ? {} : { retry: { afterMs } }) });
}
