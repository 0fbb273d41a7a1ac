/** One after the other: the runtime uses every core for one run, and several at once would only hold more memory. */
export function inTurn(): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let before: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = before.then(work);
    before = result.catch(() => {});
    return result;
  };
}
