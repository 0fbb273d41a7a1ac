import { TwelveError } from "../../core/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Model, ModelEnd, ToolCall } from "../../ports/model.ts";
import { isCallStreamed } from "../answer.ts";
import { citationsIn } from "../citation.ts";
import { readConversation } from "../conversation.ts";
import type { Answer, AnswerPart, AnswerRequest } from "../schema.ts";

interface Mocked {
  readonly model: Model;
  readonly clock: Pick<Clock, "monotonicMs">;
}

/** Answers without a release: the model is given the caller's own messages, and nothing else. */
export async function* answerMocked(request: AnswerRequest, { model, clock }: Mocked): AsyncGenerator<AnswerPart> {
  const { agent, messages, variables: _, isStream: __, session: ___, traceId: ____, spanId: _____, caller: ______, onRun: _______, ...asked } = request;
  const startedMs = clock.monotonicMs();
  const { question, history } = readConversation(messages);
  const toolCalls: ToolCall[] = [];
  let text = "";
  let firstMs: number | null = null;
  let end: ModelEnd | undefined;
  for await (const chunk of model.generate({ ...asked, messages, question, agent, earlier: history, passages: [], isCallStreamed: isCallStreamed(request) })) {
    if (chunk.type === "end") end = chunk;
    if (chunk.type === "tool_call") toolCalls.push(chunk.call);
    if (chunk.type !== "text" && chunk.type !== "call_part") continue;
    firstMs ??= clock.monotonicMs() - startedMs;
    if (chunk.type === "text") text += chunk.text;
    yield chunk;
  }
  if (end === undefined) throw new TwelveError("SERVICE_CUT", "The mock broke off its answer");
  const retrieved = (end.passages ?? []).map((hit, position) => ({ number: position + 1, ...hit, scores: {} }));
  const answer: Answer = {
    text,
    toolCalls,
    finishReason: end.finishReason,
    usage: end.usage,
    reference: `mock:${model.id}`,
    model: end.model,
    retrieved,
    citations: citationsIn(text, retrieved),
    latencyMs: clock.monotonicMs() - startedMs,
    timeToFirstTokenMs: firstMs,
    costUsd: null,
  };
  yield { type: "end", answer };
}
