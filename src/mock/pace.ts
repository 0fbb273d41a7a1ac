import { wait } from "../core/patience.ts";
import { countTokens } from "../core/tokens.ts";

/** How slowly a mock model speaks; at once where nothing is said. */
export interface Pace {
  /** Up to the first chunk. */
  readonly latencyMs?: number | undefined;
  /** After each chunk. */
  readonly msPerChunk?: number | undefined;
  /** After each chunk, for each of its tokens. */
  readonly msPerToken?: number | undefined;
}

export async function think({ latencyMs = 0 }: Pace, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  if (latencyMs > 0) await wait(latencyMs, signal);
}

/** Follows a chunk, so that one can be followed by silence. */
export async function pause(chunk: string, { msPerChunk = 0, msPerToken = 0 }: Pace, signal: AbortSignal | undefined): Promise<void> {
  const ms = msPerChunk + (msPerToken === 0 ? 0 : msPerToken * countTokens(chunk));
  if (ms > 0) await wait(ms, signal);
}
