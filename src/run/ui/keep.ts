import { TwelveError } from "../../core/errors.ts";
import type { AnswerPart, AnswerRequest, Runtime } from "../schema.ts";

/** Other releases than the one that is served, opened when they are asked. */
export interface KeptReleases {
  /** Fails as the opening does, and the next request opens it anew; and with RELEASES_BUSY where as many as may be open all answer. */
  answer(number: number, request: AnswerRequest): AsyncIterable<AnswerPart>;
  close(): Promise<void>;
}

interface Kept {
  readonly opening: Promise<Runtime>;
  users: number;
}

interface Bounds {
  /** Those that were asked last stay open without a question. */
  readonly mostIdle: number;
  /** At once, those that answer included. */
  readonly mostOpen: number;
}

/** An open release holds its indexes in memory, so there are never many. */
export function keepReleases(open: (number: number) => Promise<Runtime>, { mostIdle, mostOpen }: Bounds = { mostIdle: 2, mostOpen: 4 }): KeptReleases {
  /** The one that was asked last stands last. */
  const kept = new Map<number, Kept>();

  function take(number: number): Kept {
    const release = kept.get(number) ?? openNew(number);
    kept.delete(number);
    kept.set(number, release);
    release.users++;
    return release;
  }

  function openNew(number: number): Kept {
    const room = closeIdle(mostOpen - 1);
    if (kept.size >= mostOpen) throw new TwelveError("RELEASES_BUSY", `${mostOpen} other releases answer right now, and no more are opened at once`, { retry: { afterMs: null } });
    const release: Kept = { opening: room.then(() => open(number)), users: 0 };
    release.opening.catch(() => {
      if (kept.get(number) === release) kept.delete(number);
    });
    return release;
  }

  async function closeIdle(most: number): Promise<void> {
    const idle = [...kept].filter(([, { users }]) => users === 0);
    const tooMany = idle.slice(0, Math.max(0, kept.size - most));
    for (const [number] of tooMany) kept.delete(number);
    await closeAll(tooMany.map(([, release]) => release));
  }

  return {
    async *answer(number, request) {
      const release = take(number);
      try {
        yield* (await release.opening).answer(request);
      } finally {
        release.users--;
        await closeIdle(mostIdle);
      }
    },
    async close() {
      const all = [...kept.values()];
      kept.clear();
      await closeAll(all);
    },
  };
}

/** One that cannot be closed in good order is no matter of whoever asks another. */
async function closeAll(releases: readonly Kept[]): Promise<void> {
  await Promise.allSettled(releases.map(async ({ opening }) => (await opening).close()));
}
