import { inTime } from "../core/deadline.ts";
import { wait } from "../core/patience.ts";

interface Service {
  /** Without credentials. */
  readonly who: string;
  /** A small question, on a connection of its own. */
  readonly ask: () => Promise<unknown>;
  /** How long the work may take before the service is asked, and again after each answer. */
  readonly patienceMs?: number;
  readonly limitMs?: number;
}

const usualPatienceMs = 5000;
const usualLimitMs = 10_000;

/**
 * What the work gives, however long it takes, for as long as the service answers small questions meanwhile. A service that hangs keeps its
 * connections open, and only the time limit of the work itself, which must allow for slow work, would end it. Fails as the question does, or with SERVICE_TIMEOUT.
 */
export async function unlessSilent<Result>(work: () => Promise<Result>, { who, ask, patienceMs = usualPatienceMs, limitMs = usualLimitMs }: Service): Promise<Result> {
  const done = new AbortController();
  async function untilSilent(): Promise<never> {
    for (;;) {
      await wait(patienceMs, done.signal);
      await inTime(ask, { limitMs, who, signal: done.signal });
    }
  }
  try {
    return await Promise.race([work(), untilSilent()]);
  } finally {
    done.abort();
  }
}
