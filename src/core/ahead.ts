/**
 * Maps in order, with up to `ahead` calls under way at once: the next items are worked on while the caller is busy with
 * the last result. A failure is thrown where its result would have come; calls that were under way then are waited for first.
 */
export async function* mapAhead<Item, Result>(items: Iterable<Item> | AsyncIterable<Item>, ahead: number, map: (item: Item) => Promise<Result>): AsyncGenerator<Result> {
  const running: Promise<Result>[] = [];
  try {
    for await (const item of items) {
      const result = map(item);
      // Whoever reads it later sees the failure; until then it is no unhandled one.
      result.catch(() => {});
      running.push(result);
      if (running.length >= ahead) yield await (running.shift() as Promise<Result>);
    }
    while (running.length > 0) yield await (running.shift() as Promise<Result>);
  } finally {
    await Promise.allSettled(running);
  }
}

/** The same items, the first of them asked for now: what is behind them goes on while the caller waits for other things. */
export function startedNow<Item>(items: AsyncGenerator<Item, void>): AsyncGenerator<Item, void> {
  const first = items.next();
  // Whoever reads it later sees the failure; until then it is no unhandled one.
  first.catch(() => {});
  return (async function* () {
    const { done, value } = await first;
    if (done === true) return;
    yield value;
    yield* items;
  })();
}
