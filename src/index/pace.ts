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
  /** Nothing starts before then: the service has asked for a rest. From then on fewer requests are under way, until some have succeeded. */
  rest(ms: number): void;
  /** Sleeps until then, or until `stop`. */
  wait(ms: number): Promise<void>;
  /** Nothing starts any more: whoever waits for anything is refused with this cause at once. */
  stop(cause: unknown): void;
}

const minuteMs = 60_000;

/**
 * Requests and tokens are each a bucket that fills at its rate (a token bucket, RFC 2697's idea) and holds a second's worth, so that
 * a service which counts by the second is content too. A request that is larger than a full bucket overdraws it, and the next
 * waits until that is paid back.
 */
export function openPace({ requestsAtOnce, requestsPerMinute, tokensPerMinute }: PaceLimits, { nowMs, sleep }: PaceTools): Pace {
  const buckets = [bucketOf(requestsPerMinute, nowMs), bucketOf(tokensPerMinute, nowMs)] as const;
  const waiting: (() => void)[] = [];
  let underWay = 0;
  // Half as many after each rest, one more after as many successes: the way TCP finds out what a line can carry.
  let width = requestsAtOnce;
  let restUntilMs = 0;
  let turn: Promise<void> = Promise.resolve();
  let end: { readonly cause: unknown } | undefined;
  const { promise: ended, reject: endNow } = Promise.withResolvers<never>();
  ended.catch(() => {});
  const wait = (ms: number): Promise<void> => Promise.race([ended, sleep(ms)]);

  /** Starts are served one after the other, so that none overtakes one that waits for its share. */
  const takeTurn = (tokens: number): Promise<void> => {
    const taken = turn.then(async () => {
      for (;;) {
        if (end !== undefined) throw end.cause;
        const waitMs = Math.max(restUntilMs - nowMs(), buckets[0].waitMs(1), buckets[1].waitMs(tokens));
        if (waitMs <= 0) break;
        await wait(waitMs);
      }
      buckets[0].take(1);
      buckets[1].take(tokens);
    });
    turn = taken.catch(() => {});
    return taken;
  };

  const admit = (): void => {
    while (underWay < Math.floor(width) && waiting.length > 0) {
      underWay++;
      waiting.shift()?.();
    }
  };

  return {
    async run(tokens, request) {
      if (underWay >= Math.floor(width)) await new Promise<void>((resolve) => waiting.push(resolve));
      else underWay++;
      try {
        await takeTurn(tokens);
        const result = await request();
        width = Math.min(requestsAtOnce, width + 1 / width);
        return result;
      } finally {
        underWay--;
        admit();
      }
    },
    rest(ms) {
      // What was sent together is refused together, and that is one refusal.
      if (nowMs() >= restUntilMs) width = Math.max(1, width / 2);
      restUntilMs = Math.max(restUntilMs, nowMs() + ms);
    },
    wait,
    stop(cause) {
      end ??= { cause };
      endNow(cause);
    },
  };
}

interface Bucket {
  /** Until there is room for so much. */
  waitMs(amount: number): number;
  take(amount: number): void;
}

function bucketOf(perMinute: number | undefined, nowMs: () => number): Bucket {
  if (perMinute === undefined) return { waitMs: () => 0, take: () => {} };
  const most = Math.max(1, Math.floor(perMinute / 60));
  // A full bucket and what flows in during a minute are together what a minute may hold, whenever it begins.
  const perMs = (perMinute - (most - 1)) / minuteMs;
  let level = most;
  let atMs = nowMs();
  const fill = (): void => {
    level = Math.min(most, level + (nowMs() - atMs) * perMs);
    atMs = nowMs();
  };
  return {
    waitMs(amount) {
      fill();
      const missing = Math.min(amount, most) - level;
      // Sums of fractions are not exact.
      return missing < 1e-9 ? 0 : Math.ceil(missing / perMs);
    },
    take(amount) {
      fill();
      level -= amount;
    },
  };
}
