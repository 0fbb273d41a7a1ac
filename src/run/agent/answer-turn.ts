import type { SessionKey } from "../../ports/session.ts";
import type { Kept } from "../kept.ts";
import type { AnswerPart, AnswerRequest } from "../schema.ts";
import type { ToolAgents } from "./open.ts";

/**
 * Answers a request by a run, as the next turn of its session where it names one. Whoever asks again for a run whose turn is kept, or that keeps it by
 * itself, as one that asked for approval does, is told what became of it, and begins no other turn.
 */
export async function* answerTurn({ answer, begunBy }: Pick<ToolAgents, "answer" | "begunBy">, kept: Pick<Kept, "answer" | "conversations">, request: AnswerRequest): AsyncGenerator<AnswerPart> {
  const { session, ...alone } = request;
  if (session !== undefined && (await isKept(session))) yield* answer(alone);
  else yield* kept.answer(request, answer);

  async function isKept(key: SessionKey): Promise<boolean> {
    const begun = await begunBy(request);
    return begun !== undefined && (begun.isLate || kept.conversations.hasAnswerOf(begun.id, key));
  }
}
