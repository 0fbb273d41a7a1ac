import type { TwelveError } from "../core/errors.ts";
import type { VectorIndex } from "../ports/vectors.ts";

export interface Kept {
  readonly index: VectorIndex;
  /** Asks the service whether this is still there. */
  look(): Promise<void>;
}

interface Going {
  /** Whether a failure says that what was open is no longer there. */
  readonly isGone: (failure: unknown) => failure is TwelveError;
  /** What is told while it is gone. */
  readonly mayComeBack: (failure: TwelveError) => TwelveError;
}

/** An index that is opened anew when it is gone: by the search that finds out, by each search after that, and by each look, until it is there. */
export async function keepOpen(open: () => Promise<Kept>, { isGone, mayComeBack }: Going): Promise<Omit<VectorIndex, "count"> & Pick<Kept, "look">> {
  let current = await open();
  let isLost = false;
  let reopening: Promise<void> | undefined;

  /** Whoever needs it at the same time shares one attempt. What was open before is left to those who still read it. */
  function reopen(): Promise<void> {
    isLost = true;
    return (reopening ??= open().then((opened) => {
      current = opened;
      isLost = false;
    }).finally(() => (reopening = undefined)));
  }

  async function attempt<Result>(work: (kept: Kept) => Promise<Result>): Promise<Result> {
    try {
      if (isLost) await reopen();
      const before = current;
      try {
        return await work(before);
      } catch (error) {
        if (!isGone(error)) throw error;
        if (current === before) await reopen();
        return await work(current);
      }
    } catch (error) {
      if (!isGone(error)) throw error;
      isLost = true;
      throw mayComeBack(error);
    }
  }

  return {
    search: (query) => attempt(({ index }) => index.search(query)),
    look: () => attempt((kept) => kept.look()),
    ids: () => current.index.ids(),
    rows: (ids) => current.index.rows(ids),
    close: () => current.index.close(),
  };
}
