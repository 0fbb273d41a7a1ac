import { TwelveError } from "../../../core/errors.ts";
import type { Sleep } from "./connection.ts";

const firstWaitMs = 50;
const longestWaitMs = 2000;

export interface Patience {
  readonly sleep: Sleep;
  /** In all. */
  readonly waitMs: number;
}

/** Pinecone takes a moment until what was written can be read. Fails with SERVICE_TIMEOUT. */
export async function untilVisible(what: string, isVisible: () => Promise<boolean>, { sleep, waitMs }: Patience): Promise<void> {
  const endMs = performance.now() + waitMs;
  for (let pauseMs = firstWaitMs; !(await isVisible()); pauseMs = Math.min(longestWaitMs, pauseMs * 2)) {
    if (performance.now() >= endMs) throw new TwelveError("SERVICE_TIMEOUT", `Pinecone has not shown ${what} within ${waitMs} ms of writing it`, { retry: { afterMs: null }, fix: "Run the command again; Pinecone gets more time with `waitMs` in the URL" });
    await sleep(pauseMs);
  }
}
