/** Lets at most `most` operations run at once, so that thousands of blobs in flight do not use up the file handles, or the connections. */
export function limitTo(most: number): <Result>(operation: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (operation) => {
    if (running >= most) await new Promise<void>((start) => waiting.push(start));
    else running += 1;
    try {
      return await operation();
    } finally {
      // A place that is free goes to the next in line, so `running` stays as it is.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
