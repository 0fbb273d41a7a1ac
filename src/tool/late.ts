import { summaryOf, TwelveError } from "../core/errors.ts";
import { wait } from "../core/patience.ts";
import type { Story } from "../ports/story.ts";
import type { ToolSource } from "../ports/tool.ts";

/** A source that was away when the process began. */
export interface LateSource extends ToolSource {
  /** Why it is not there yet. */
  away(): TwelveError | undefined;
}

/** Whoever can do without a tool for a while. */
export interface Later {
  readonly story: Pick<Story, "note" | "warn">;
  readonly firstPauseMs?: number;
}

const usualFirstPauseMs = 1000;
const longestPauseMs = 30_000;

/** Opens it again and again, later each time, until it is there. Meanwhile it has no tools. */
export function openLater(open: () => Promise<ToolSource>, { name, first, story, firstPauseMs = usualFirstPauseMs }: Later & { readonly name: string; readonly first: TwelveError }): LateSource {
  const closing = new AbortController();
  let failure: TwelveError | undefined = first;
  let source: ToolSource | undefined;
  const warn = ({ message }: TwelveError): void => story.warn(`The tool ${name} is away, and agents that use it cannot answer until it is there: ${message}`);

  async function keepOpening(): Promise<void> {
    for (let pauseMs = firstPauseMs; !closing.signal.aborted; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      try {
        await wait(pauseMs * (0.5 + Math.random() / 2), closing.signal);
        const opened = await open();
        if (closing.signal.aborted) return await opened.close();
        source = opened;
        failure = undefined;
        return story.note(`The tool ${name} is there`);
      } catch (error) {
        if (closing.signal.aborted) return;
        const next = error instanceof TwelveError ? error : new TwelveError("TOOL_INVALID", String(error), { cause: error });
        if (failure === undefined || summaryOf(next) !== summaryOf(failure)) warn(next);
        failure = next;
      }
    }
  }

  warn(first);
  const opening = keepOpening();
  return {
    away: () => failure,
    tools: () => source?.tools() ?? [],
    async check(signal) {
      if (source === undefined) throw failure ?? first;
      return source.check(signal);
    },
    async close() {
      closing.abort();
      await opening;
      await source?.close();
    },
  };
}
