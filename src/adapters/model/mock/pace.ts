import { wait } from "../../../core/patience.ts";
import { countTokens } from "../../../core/tokens.ts";

/** How slowly a mock model speaks; at once where nothing is said. */
export interface Pace {
  /** Up to the first chunk. */
  readonly latencyMs?: number | undefined;
  /** After each word, for each of its tokens. */
  readonly msPerToken?: number | undefined;
}

export async function think({ latencyMs = 0 }: Pace, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  if (latencyMs > 0) await wait(latencyMs, signal);
}

/** Follows a word, so that one can be followed by silence. */
export function pause(word: string, msPerToken: number, signal: AbortSignal | undefined): Promise<void> {
  return wait(msPerToken * countTokens(word), signal);
}
