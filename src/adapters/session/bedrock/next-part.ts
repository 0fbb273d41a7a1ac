import { randomUUID } from "node:crypto";
import { TwelveError } from "../../../core/errors.ts";
import type { SessionKey } from "../../../ports/session.ts";
import { isRefusal, type Pause, pauseMs } from "../outcome.ts";
import type { BedrockSessions } from "./client.ts";
import type { Directory } from "./directory.ts";
import type { Life } from "./life.ts";
import { byAge, type Part, writeMetadata } from "./part.ts";

interface Wanted {
  readonly key: SessionKey;
  readonly life: Life | undefined;
  /** Whether a part takes no more steps although it is open, as this process was told. */
  readonly isFull: (id: string) => boolean;
}

export interface Maker {
  readonly client: BedrockSessions;
  readonly directory: Directory;
  readonly space: string;
  readonly url: string;
  readonly pause: Pause;
}

const mostLooks = 6;

/** The part that takes the next step: the last one if it is open, else a new one. Undefined where another process was faster. */
export async function nextPart(maker: Maker, { key, life, isFull }: Wanted): Promise<Part | undefined> {
  const { client, space } = maker;
  const last = life?.stretches.at(-1)?.part;
  if (last?.isOpen === true && !isFull(last.id)) return last;
  const [id, start] = [last?.life ?? randomUUID(), life?.count ?? 0];
  const made = await client.create(writeMetadata({ ...key, life: id, start }, space));
  const parts = await partsWith(maker, made, key);
  // Several may have made one for the same place, and all of them take the first.
  const rivals = parts.filter((part) => part.start === start && (start === 0 || part.life === id) && (part.isOpen || part.id === made) && !isFull(part.id));
  const first = rivals.toSorted(byAge)[0];
  const isOrphan = start > 0 && !parts.some((part) => part.life === id && part.start === 0);
  if (first?.id === made && !isOrphan) return first;
  await discard(client, made);
  return isOrphan ? undefined : first;
}

/** The parts, once the list shows the one that was made: then it shows those that were made before it, too. None where that one is gone. */
async function partsWith({ client, directory, url, pause }: Maker, made: string, { user, session }: SessionKey): Promise<readonly Part[]> {
  let misses = 0;
  try {
    for (let attempt = 1; attempt <= mostLooks; attempt += 1) {
      const parts = await directory.parts(user, session);
      if (parts.some(({ id }) => id === made)) return parts;
      // Says why it cannot be seen, where it is not the list that is late.
      if ((await client.metadata(made)) === undefined) misses += 1;
      if (misses === 2) return [];
      await pause(pauseMs(attempt - 1));
    }
  } catch (error) {
    if (isRefusal(error)) await discard(client, made);
    throw error;
  }
  await discard(client, made);
  throw new TwelveError("SERVICE_UNAVAILABLE", `${url} does not list the session that was made for the append; nothing was written`, { retry: { afterMs: null }, fix: "Try again in a moment" });
}

/**
 * Takes away a part if it is empty. Ended first, so that nobody writes to it between the look and the deletion. One that cannot
 * be taken away just now holds nothing; it goes with its session.
 */
export async function discard(client: BedrockSessions, id: string): Promise<void> {
  try {
    await client.end(id);
    if ((await client.countSteps(id)) === 0) await client.remove({ id, isOpen: false });
  } catch {
    // What became of the append counts, and not this.
  }
}
