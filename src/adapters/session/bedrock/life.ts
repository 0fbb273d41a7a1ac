import type { BedrockSessions } from "./client.ts";
import { livesOf, type Part } from "./part.ts";
import { type StepHead, stepId } from "./step.ts";

/** A stretch of steps that lie in one part. */
interface Stretch {
  readonly part: Part;
  readonly count: number;
}

/** A session as it stands, without its entries. */
export interface Life {
  readonly id: string;
  readonly stretches: readonly Stretch[];
  /** The number of steps. */
  readonly count: number;
  /** Of the newest step; undefined where there is none yet, or where it is listed and cannot be read. */
  readonly head: StepHead | undefined;
  readonly parts: readonly Part[];
}

/** Follows the parts from the first one: each goes on where the one before it ends. Undefined where it is gone. */
async function readLife(client: BedrockSessions, parts: readonly Part[]): Promise<Life | undefined> {
  const stretches: Stretch[] = [];
  let count = 0;
  let next = await stretchOf(client, parts.slice(0, 1));
  while (next !== undefined) {
    stretches.push(next);
    count += next.count;
    const end = count;
    next = next.count === 0 ? undefined : await stretchOf(client, parts.filter(({ start }) => start === end));
  }
  if (stretches.length === 0) return undefined;
  const last = stretches.findLast((stretch) => stretch.count > 0);
  const head = last === undefined ? undefined : (await client.getStep(last.part.id, stepId(last.part.id, count - 1)))?.head;
  if (last !== undefined && head === undefined && (await client.countSteps(last.part.id)) === undefined) return undefined;
  return { id: parts[0]?.life ?? "", stretches, count, head, parts };
}

/** Of parts for the same place: the first one that has steps, else the first one that takes any. Those that were begun and closed stay empty. */
async function stretchOf(client: BedrockSessions, parts: readonly Part[]): Promise<Stretch | undefined> {
  const empty: Stretch[] = [];
  for (const part of parts) {
    const count = await client.countSteps(part.id);
    if (count !== undefined && count > 0) return { part, count };
    if (count === 0) empty.push({ part, count });
  }
  return empty.find(({ part }) => part.isOpen) ?? empty[0];
}

export interface Found {
  /** The session, or a life that somebody has begun and not written to yet. */
  readonly life: Life | undefined;
  readonly expired: readonly Part[];
}

/** Of the parts of one session name. A session with entries goes before one that is only begun. */
export async function findLife(client: BedrockSessions, parts: readonly Part[], nowMs: number): Promise<Found> {
  const expired: Part[] = [];
  let begun: Life | undefined;
  for (const own of livesOf(parts)) {
    const life = await readLife(client, own);
    if (life === undefined) continue;
    if (life.count === 0) begun ??= life;
    else if (life.head === undefined || life.head.expiresMs === null || life.head.expiresMs > nowMs) return { life, expired };
    else expired.push(...own);
  }
  return { life: begun, expired };
}
