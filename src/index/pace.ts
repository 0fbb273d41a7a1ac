/** What one request to an embedder takes from its limits. */
export interface PaceLimits {
  readonly requestsAtOnce: number;
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
}

export interface PaceTools {
  readonly nowMs: () => number;
  /** Rejects with the signal's reason when it is aborted. */
  readonly sleep: (ms: number) => Promise<void>;
}

/** Bounds how many requests are under way and how many start in a minute. */
export interface Pace {
  /** Runs the request when there is room for it. */
  run<Result>(tokens: number, request: () => Promise<Result>): Promise<Result>;
  /** Nothing starts before then: the service has asked for a rest. */
  rest(ms: number): void;
}

const minuteMs = 60_000;

/**
 * Requests and tokens are each a bucket that fills at its rate (a token bucket, RFC 2697's idea) and holds a second's worth, so that
 * a service which counts by the second is content too. One request may overdraw a bucket; the next waits until it is paid back.
 */
export function openPace({ requestsAtOnce, requestsPerMinute, tokensPerMinute }: PaceLimits, { nowMs, sleep }: PaceTools): Pace {
  const buckets = [bucketOf(requestsPerMinute, nowMs), bucketOf(tokensPerMinute, nowMs)] as const;
  const waiting: (() => void)[] = [];
  let free = requestsAtOnce;
  let restUntilMs = 0;
  let turn: Promise<void> = Promise.resolve();

  /** Starts are served one after the other, so that none overtakes one that waits for its share. */
  const takeTurn = (tokens: number): Promise<void> => {
    const taken = turn.then(async () => {
      for (;;) {
        const waitMs = Math.max(restUntilMs - nowMs(), buckets[0].waitMs(), buckets[1].waitMs());
        if (waitMs <= 0) break;
        await sleep(waitMs);
      }
      buckets[0].take(1);
      buckets[1].take(tokens);
    });
    turn = taken.catch(() => {});
    return taken;
  };

  return {
    async run(tokens, request) {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        await takeTurn(tokens);
        return await request();
      } finally {
        const next = waiting.shift();
        if (next === undefined) free++;
        else next();
      }
    },
    rest(ms) {
      restUntilMs = Math.max(restUntilMs, nowMs() + ms);
    },
  };
}

interface Bucket {
  waitMs(): number;
  take(amount: number): void;
}

function bucketOf(perMinute: number | undefined, nowMs: () => number): Bucket {
  if (perMinute === undefined) return { waitMs: () => 0, take: () => {} };
  const perMs = perMinute / minuteMs;
  const most = Math.max(1, perMs * 1000);
  let level = most;
  let atMs = nowMs();
  const fill = (): void => {
    level = Math.min(most, level + (nowMs() - atMs) * perMs);
    atMs = nowMs();
  };
  return {
    waitMs() {
      fill();
      return level > 0 ? 0 : Math.ceil((1e-9 - level) / perMs);
    },
    take(amount) {
      fill();
      level -= amount;
    },
  };
}
