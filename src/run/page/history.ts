import type { Ask } from "../ui/schema.ts";

export interface PastTurn {
  readonly agent: string;
  readonly question: string;
  /** What each release answered, by its number; nothing where it failed before its first word. */
  readonly answers: ReadonlyMap<number, string>;
}

interface Asked {
  readonly agent: string;
  readonly release: number;
  readonly question: string;
}

/**
 * The conversation as one release is told it: what it said itself, else what another release said in its place, so that
 * a comparison can begin in the middle of a conversation.
 */
export function messagesFor(past: readonly PastTurn[], { agent, release, question }: Asked): Ask["messages"] {
  const earlier = past.filter((turn) => turn.agent === agent).flatMap(({ question, answers }): Ask["messages"] => {
    const answer = answers.get(release) ?? [...answers.values()][0];
    return answer === undefined ? [] : [{ role: "user", content: question }, { role: "assistant", content: answer }];
  });
  return [...earlier, { role: "user", content: question }];
}
