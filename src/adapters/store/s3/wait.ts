import { setTimeout as sleep } from "node:timers/promises";

const attempts = 10;
const firstWaitMs = 20;
const longestWaitMs = 1000;

/** Waits a random while that grows with the attempts, so that writers who met do not meet again; false when there were enough. */
export async function waitShortly(attempt: number): Promise<boolean> {
  if (attempt >= attempts) return false;
  await sleep(Math.random() * Math.min(longestWaitMs, firstWaitMs * 2 ** attempt));
  return true;
}
