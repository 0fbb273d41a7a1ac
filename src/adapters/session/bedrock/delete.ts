import { mapAhead } from "../../../core/ahead.ts";
import { named } from "../entry.ts";
import type { Pause } from "../outcome.ts";
import { deleteUntilGone } from "../until-gone.ts";
import type { BedrockSessions } from "./client.ts";
import type { Directory } from "./directory.ts";
import { findLife } from "./life.ts";
import type { Part } from "./part.ts";

export interface Deleting {
  readonly client: BedrockSessions;
  readonly directory: Directory;
  readonly url: string;
  readonly pause: Pause;
  readonly now: () => number;
}

const requestsAtOnce = 8;

async function removeEach(client: BedrockSessions, parts: readonly Part[]): Promise<void> {
  for await (const _ of mapAhead(parts, requestsAtOnce, (part) => client.remove(part)));
}

async function stillThere(client: BedrockSessions, parts: readonly Part[]): Promise<readonly Part[]> {
  const found: Part[] = [];
  for await (const { part, metadata } of mapAhead(parts, requestsAtOnce, async (each) => ({ part: each, metadata: await client.metadata(each.id) }))) if (metadata !== undefined) found.push(part);
  return found;
}

/** Beginnings first: without one there is no session, so that a deletion that breaks off leaves no half of it. Gives those that were taken away. */
export async function removeParts(client: BedrockSessions, parts: readonly Part[]): Promise<readonly Part[]> {
  const beginnings = parts.filter(({ start }) => start === 0);
  const others = parts.filter(({ start }) => start > 0);
  await removeEach(client, beginnings);
  if (others.length > 0 && (await stillThere(client, beginnings)).length > 0) return beginnings;
  await removeEach(client, others);
  return parts;
}

/** Deletes one session, or all of a user. Gives the number of sessions there were. */
export async function deleteAll({ client, directory, url, pause, now }: Deleting, { user, session }: { readonly user: string; readonly session?: string }): Promise<number> {
  const removed = new Set<string>();
  const deleted = new Set<string>();
  await deleteUntilGone(`${url}: ${named({ user, session })}`, pause, async () => {
    const parts = await directory.parts(user, session);
    const again = await stillThere(client, parts.filter(({ id }) => removed.has(id)));
    const fresh = [...parts.filter(({ id }) => !removed.has(id)), ...again];
    for (const [name, own] of Map.groupBy(fresh, (part) => part.session)) {
      const { life } = await findLife(client, own, now());
      if (life !== undefined && life.count > 0) deleted.add(name);
    }
    for (const { id } of await removeParts(client, fresh)) removed.add(id);
    return { listed: parts.length, isStale: fresh.length === 0 };
  });
  return deleted.size;
}
