import { randomUUID } from "node:crypto";
import type { SessionKey } from "../../../ports/session.ts";
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
}

/** The part that takes the next step: the last one if it is open, else a new one. Undefined where another process was faster. */
export async function nextPart({ client, directory, space }: Maker, { key, life, isFull }: Wanted): Promise<Part | undefined> {
  const last = life?.stretches.at(-1)?.part;
  if (last?.isOpen === true && !isFull(last.id)) return last;
  const [id, start] = [last?.life ?? randomUUID(), life?.count ?? 0];
  const made = await client.create(writeMetadata({ ...key, life: id, start }, space));
  const parts = await directory.parts(key.user, key.session);
  // Several may have made one for the same place, and all of them take the first.
  const rivals = parts.filter((part) => part.start === start && (start === 0 || part.life === id) && (part.isOpen || part.id === made) && !isFull(part.id));
  const first = rivals.toSorted(byAge)[0];
  const isOrphan = start > 0 && !parts.some((part) => part.life === id && part.start === 0);
  if (first?.id === made && !isOrphan) return first;
  await discard(client, made);
  return isOrphan ? undefined : first;
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
