/** Does so many pieces of work at once; the others wait for their turn, in their order. */
export function openTurns(atOnce: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let free = atOnce;
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      // A turn that ends becomes that of the next in the row.
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
