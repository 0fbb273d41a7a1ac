import type { Kept } from "../kept.ts";
import type { AnswerPart, AnswerRequest } from "../schema.ts";
import type { ToolAgents } from "./open.ts";

/**
 * Answers a request by a run, as the next turn of its session where it names one. A run that asked for approval keeps its turn there by itself: whoever asks
 * again is told what became of it, and begins no other turn.
 */
export async function* answerTurn({ answer, isLate }: Pick<ToolAgents, "answer" | "isLate">, kept: Pick<Kept, "answer">, request: AnswerRequest): AsyncGenerator<AnswerPart> {
  const { session, ...alone } = request;
  if (session !== undefined && (await isLate(request))) yield* answer(alone);
  else yield* kept.answer(request, answer);
}
