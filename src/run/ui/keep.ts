import type { AnswerPart, AnswerRequest, Runtime } from "../schema.ts";

/** Other releases than the one that is served, opened when they are asked. */
export interface KeptReleases {
  /** Fails as the opening does; the next request opens it anew. */
  answer(number: number, request: AnswerRequest): AsyncIterable<AnswerPart>;
  close(): Promise<void>;
}

interface Kept {
  readonly opening: Promise<Runtime>;
  users: number;
}

/** An open release holds its indexes in memory, so only those that were asked last stay open. */
export function keepReleases(open: (number: number) => Promise<Runtime>, mostIdle = 2): KeptReleases {
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
    const release: Kept = { opening: open(number), users: 0 };
    release.opening.catch(() => {
      if (kept.get(number) === release) kept.delete(number);
    });
    return release;
  }

  async function closeIdle(most: number): Promise<void> {
    const idle = [...kept].filter(([, { users }]) => users === 0);
    const tooMany = idle.slice(0, Math.max(0, kept.size - most));
    for (const [number] of tooMany) kept.delete(number);
    await Promise.all(tooMany.map(async ([, { opening }]) => (await opening).close()));
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
      await Promise.allSettled(all.map(async ({ opening }) => (await opening).close()));
    },
  };
}
