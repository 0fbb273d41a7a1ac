import type { RunView } from "../agent/view-schema.ts";
import type { AnswerView, AskEvent } from "../ui/schema.ts";
import type { DrawnAnswer } from "./answer-view.ts";
import type { Api, RunName } from "./api.ts";
import { callsIn, type RunTold, stepsOf, textIn } from "./calls.ts";
import { tellLive } from "./live.ts";

/** The run of an agent with tools that answers a question: its calls are drawn as they come. */
export interface FollowedRun {
  /** Goes on to the end of a run that waits for a person: what it says after that comes no other way. Where it cannot be followed, the refusal says what to do. */
  toEnd(refusal: AskEvent & { readonly type: "error" }): Promise<void>;
}

interface Following {
  readonly api: Api;
  readonly answer: DrawnAnswer;
  readonly run: RunName;
  readonly signal: AbortSignal;
}

export function followRun({ api, answer, run, signal }: Following): FollowedRun {
  const told: RunTold[] = [];
  let isAlone = false;
  const decide = (callId: string, approve: boolean): Promise<string | undefined> => api.decide(run, callId, approve);

  async function follow(): Promise<RunView | undefined> {
    for await (const event of api.follow(run, signal)) {
      if (event.type === "run_finished") return event["run"] as RunView;
      told.push(event);
      const steps = stepsOf(told);
      answer.calls.show(callsIn(steps), decide);
      if (isAlone) answer.say(textIn(steps));
      const said = sentenceOf(event);
      if (said !== undefined) tellLive(`${answer.release}: ${said}`);
    }
    return undefined;
  }

  // Whoever may ask and not follow has the answer all the same.
  const ended = follow().catch(() => undefined);
  return {
    async toEnd(refusal) {
      isAlone = true;
      const through = await ended;
      if (through !== undefined) return finish(answer, through, told);
      if (!signal.aborted) return answer.take(refusal);
      // As an answer that is stopped ends its run.
      await api.cancel(run);
      signal.throwIfAborted();
    },
  };
}

function finish(answer: DrawnAnswer, run: RunView, told: readonly RunTold[]): void {
  if (run.error !== null) return answer.take({ type: "error", code: run.error.code, message: run.error.message, fix: null });
  if (run.status === "cancelled") return answer.stopped();
  const models = stepsOf(told).flatMap((step) => (step.type === "model_call" ? [step] : []));
  const last = models.at(-1);
  const { usage, cost_usd: costUsd } = run;
  const view: AnswerView = {
    finishReason: (last?.finish_reason ?? "stop") as AnswerView["finishReason"],
    usage: { inputTokens: usage?.input_tokens ?? 0, outputTokens: usage?.output_tokens ?? 0, cachedInputTokens: usage?.cached_input_tokens ?? 0 },
    model: last?.model ?? "unknown",
    reference: last?.model ?? "unknown",
    cited: [],
    latencyMs: models.reduce((sum, { latency_ms: latencyMs }) => sum + (latencyMs ?? 0), 0),
    timeToFirstTokenMs: null,
    costUsd,
    toolCalls: [],
    calls: [],
  };
  answer.take({ type: "end", answer: view });
}

/** What a screen reader says of it. */
function sentenceOf({ type, tool, is_error: isError, outcome_unknown: isUnknown }: RunTold): string | undefined {
  if (type === "approval_requested") return `${String(tool)} waits for your approval`;
  if (type === "tool_call_started") return `Calling ${String(tool)}`;
  if (type !== "tool_call_finished") return undefined;
  return `${String(tool)} ${isUnknown === true ? "ended, its outcome is unknown" : isError === true ? "failed" : "is done"}`;
}
