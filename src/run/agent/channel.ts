import type { TwelveError } from "../../core/errors.ts";
import type { Live } from "./loop.ts";

/** Text on its way from a run to somebody who reads along in the same process. */
export interface Channel extends Live {
  /** All that was said and will be, until `close`. */
  texts(): AsyncGenerator<string>;
  /** With which the run ended. */
  readonly failure: TwelveError | undefined;
  close(): void;
  /** Ends what is under way. */
  abort(reason: unknown): void;
}

export function openChannel(): Channel {
  const controller = new AbortController();
  const waiting: string[] = [];
  let failure: TwelveError | undefined;
  let isClosed = false;
  let lastStep = 0;
  let wake = (): void => {};
  return {
    signal: controller.signal,
    say(step, text) {
      if (isClosed) return;
      // As the whole answer puts it: what was said before and after a call are two paragraphs.
      waiting.push(lastStep !== 0 && lastStep !== step ? `${between}${text}` : text);
      lastStep = step;
      wake();
    },
    fail: (error) => void (failure = error),
    get failure() {
      return failure;
    },
    close() {
      isClosed = true;
      wake();
    },
    abort: (reason) => controller.abort(reason),
    async *texts() {
      for (;;) {
        const text = waiting.shift();
        if (text !== undefined) yield text;
        else if (isClosed) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

/** Stands between what was said in two steps of one answer. */
export const between = "\n\n";
