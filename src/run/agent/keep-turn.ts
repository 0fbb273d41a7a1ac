import { TwelveError } from "../../core/errors.ts";
import { wait } from "../../core/patience.ts";
import { retrying } from "../../core/retry.ts";
import type { OngoingRun } from "../../ports/runs.ts";
import type { LateTurn } from "../session/late-turn.ts";
import type { RunInput, RunOutcome } from "./schema.ts";

/**
 * Keeps the turn of a run that outlived its request, in the session that the request named, as a step. Where that fails the run has its
 * answer all the same, and tells that the conversation has not.
 */
export async function keepTurn(run: OngoingRun, { session, agent, request }: RunInput, { answer }: RunOutcome, keep: (turn: LateTurn) => Promise<void>): Promise<void> {
  if (session === undefined) return;
  // An older version of twelve said with no run what its turn was.
  const messages = request.said ?? request.messages.slice(request.messages.findLastIndex(({ role }) => role === "user"));
  const failure = await run.step("conversation", { type: "conversation_started" }, async ({ signal }) => {
    try {
      await retrying(() => keep({ key: session, agent, run: run.id, messages, answer, signal }), { sleep: (ms) => wait(ms, signal), random: Math.random, onRetry: () => {} });
      return null;
    } catch (error) {
      if (signal.aborted || !(error instanceof TwelveError)) throw error;
      return error.code.toLowerCase();
    }
  });
  await run.tell("conversation finished", { type: "conversation_finished", is_kept: failure === null, ...(failure === null ? {} : { error: failure }) });
}
