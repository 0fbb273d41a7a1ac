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
