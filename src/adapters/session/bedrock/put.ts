import { isCausedBy } from "../../aws/failure.ts";
import { foundAfter, type Pause, pauseMs, settled } from "../outcome.ts";
import type { BedrockSessions } from "./client.ts";
import type { Part } from "./part.ts";
import { type Step, stepId } from "./step.ts";

/** `taken`: the step is there already, by another writer. `closed`: the session takes no more steps, or is gone. */
export type PutOutcome = "done" | "taken" | "closed";

interface Putting {
  readonly part: Part;
  /** The step's place among all of the session. */
  readonly index: number;
  readonly content: Step;
  readonly pause: Pause;
}

/** Another writer may hold the session for a moment. */
const mostTries = 5;

/** Puts one step, and sees what became of it. Fails like an append. */
export async function putStep(client: BedrockSessions, { part, index, content, pause }: Putting): Promise<PutOutcome> {
  const step = stepId(part.id, index);
  const look = async (): Promise<PutOutcome | undefined> => {
    const found = await client.getStep(part.id, step);
    if (found !== undefined) return found.head.writer === content.head.writer ? "done" : "taken";
    return undefined;
  };
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (index === part.start) await client.createInvocation(part.id);
      await client.putStep(part.id, step, content);
      break;
    } catch (error) {
      if (!isCausedBy(error, "ConflictException", "ValidationException", "ResourceNotFoundException")) return foundAfter(error, look);
      // Refused, because the step is there, because the session takes none, or because somebody else is at it.
      const outcome = (await look()) ?? ((await client.isOpen(part.id)) ? undefined : "closed");
      if (outcome !== undefined) return outcome;
      if (!isCausedBy(error, "ConflictException") || attempt === mostTries) throw error;
      await pause(pauseMs(attempt - 1));
    }
  }
  // A service that takes no notice of an ID that it has would say that all is well.
  return settled(async () => (await look()) ?? ((await client.metadata(part.id)) === undefined ? "closed" : undefined), pause);
}
