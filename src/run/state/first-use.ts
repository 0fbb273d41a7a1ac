import { setTimeout as sleep } from "node:timers/promises";
import { TwelveError } from "../../core/errors.ts";
import type { ServiceCheck } from "../../ports/check.ts";
import type { SessionStore } from "../../ports/session.ts";
import type { Story } from "../../ports/story.ts";

interface FirstUse {
  readonly story: Pick<Story, "note">;
  /** A start that takes longer is spoken of. */
  readonly slowMs?: number;
  /** One that takes longer is no longer taken for a start. */
  readonly longestMs?: number;
}

const usualSlowMs = 1500;
const usualLongestMs = 60_000;

/**
 * An embedded database is made at its first use, which takes seconds. That is how it begins and no failure, so a look that comes
 * meanwhile fails with PROCESS_NOT_READY, and a note says once why nothing happens.
 */
export function withFirstUse(store: SessionStore, { story, slowMs = usualSlowMs, longestMs = usualLongestMs }: FirstUse): SessionStore {
  let starting: Promise<ServiceCheck> | undefined;
  let isStarted = false;
  let isTooLong = false;

  /** Goes on when whoever looked has gone: the next look finds it where it is. */
  function start(): Promise<ServiceCheck> {
    const late = setTimeout(() => (isTooLong = true), longestMs).unref();
    return store
      .check()
      .then((said) => {
        isStarted = true;
        return said;
      })
      .finally(() => {
        clearTimeout(late);
        starting = undefined;
      });
  }

  let isTold = false;
  function tell(): void {
    if (isTold) return;
    isTold = true;
    story.note(`Conversations wait for ${store.url} to start; an embedded database is made at its first use, which takes a while`);
  }

  return {
    ...store,
    async check(signal) {
      if (isStarted || isTooLong) return store.check(signal);
      starting ??= start();
      const said = await Promise.race([starting, sleep(slowMs, undefined, { ref: false })]);
      if (said !== undefined) return said;
      tell();
      throw new TwelveError("PROCESS_NOT_READY", `${store.url} is starting: an embedded database is made at its first use`, { retry: { afterMs: null } });
    },
  };
}
