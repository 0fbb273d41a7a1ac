import { stepGraceMs } from "../../ports/queue.ts";
import { lastMs } from "./end-in-time.ts";
import type { Pool } from "./pool.ts";
import type { ProcessType } from "./type-plan.ts";

export interface TypePool extends Pool {
  readonly kind: ProcessType["kind"];
}

/** What the rest is left in any case, when the servers have taken all the time there was: steps that do not stop, and then a moment to give them back. */
export const restMs = stepGraceMs + 2000;

interface Stopping {
  /** By when all must have ended. */
  readonly limitMs: number;
  /** Told when not all have. */
  readonly onLate: () => void;
}

/**
 * Ends the servers first: a request in its last seconds may still need a reranker or a worker, which are told that their end is near.
 * Then the rest. What has not ended by the limit is forced.
 */
export async function stopPools(pools: readonly TypePool[], { limitMs, onLate }: Stopping): Promise<void> {
  const servers = pools.filter(({ kind }) => kind === "serve");
  const rest = pools.filter(({ kind }) => kind !== "serve");
  const limit = passed(limitMs);
  if (servers.length > 0) for (const pool of rest) pool.announceStop();
  stopAll(servers);
  await Promise.race([allEnded(servers), passed(limitMs - restMs)]);
  stopAll(rest);
  if ((await Promise.race([allEnded(pools), limit])) !== "late") return;
  onLate();
  stopAll(pools);
  await Promise.race([allEnded(pools), passed(lastMs)]);
  stopAll(pools);
  await allEnded(pools);
}

export function stopAll(pools: readonly Pool[]): void {
  for (const pool of pools) pool.stop();
}

function allEnded(pools: readonly Pool[]): Promise<unknown> {
  return Promise.all(pools.map(({ ended }) => ended));
}

/** Keeps nothing alive. */
function passed(ms: number): Promise<"late"> {
  return new Promise((resolve) => setTimeout(resolve, ms, "late").unref());
}
