import type { TakenRequest } from "../../ports/instance.ts";

/** So many requests a minute, and after a pause so many at once. */
export interface TokenBucket {
  readonly limit: number;
  take(): TakenRequest;
}

interface BucketOptions {
  readonly perMinute: number;
  readonly burst: number;
  readonly nowMs: () => number;
}

export function openBucket({ perMinute, burst, nowMs }: BucketOptions): TokenBucket {
  // A share of one request could never be taken.
  const capacity = Math.max(1, burst);
  const perMs = perMinute / 60_000;
  let tokens = capacity;
  let filledAtMs = nowMs();
  return {
    limit: Math.max(1, Math.floor(perMinute)),
    take() {
      const now = nowMs();
      tokens = Math.min(capacity, tokens + (now - filledAtMs) * perMs);
      filledAtMs = now;
      const isAllowed = tokens >= 1;
      if (isAllowed) tokens--;
      return { isAllowed, remaining: Math.floor(tokens), fullInMs: (capacity - tokens) / perMs, nextInMs: Math.max(0, (1 - tokens) / perMs) };
    },
  };
}

/** As OpenAI writes a time until a reset: `6m0s`, `1.5s`, `120ms`. */
export function formatReset(milliseconds: number): string {
  const ms = Math.ceil(milliseconds);
  if (ms < 1000) return `${ms}ms`;
  const minutes = Math.floor(ms / 60_000);
  return `${minutes === 0 ? "" : `${minutes}m`}${(ms % 60_000) / 1000}s`;
}
