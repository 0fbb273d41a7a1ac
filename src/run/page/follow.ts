import type { RunTold } from "./calls.ts";
import { eventsIn } from "./event-stream.ts";

interface FollowOptions {
  readonly signal: AbortSignal;
  /** Gives nothing where no server answers. */
  readonly ask: (headers: Readonly<Record<string, string>>) => Promise<Response | undefined>;
  /** Rejects where the signal is aborted. */
  readonly wait: (ms: number) => Promise<void>;
}

/** A server that is restarted first ends what it is about, and then opens its indexes. */
const waitMs = 1000;
const mostWaits = 120;

/**
 * What a run tells, up to its end. The run outlives a process: where one stops or breaks off, it goes on at the next behind the last event. It rejects
 * where the server will not tell, or none tells anything new for two minutes.
 */
export async function* followEvents({ signal, ask, wait }: FollowOptions): AsyncGenerator<RunTold> {
  let last: string | undefined;
  for (let waits = 0; waits < mostWaits; waits++) {
    const response = await ask(last === undefined ? {} : { "last-event-id": last });
    if (response !== undefined && isRefusal(response)) throw new Error(`The run cannot be followed: status ${response.status}`);
    if (response?.ok === true && response.body !== null) {
      for await (const { id, event, data } of eventsIn(response.body, signal)) {
        // Not of the run: the server says that it tells no more.
        if (event === "error") break;
        const told = JSON.parse(data) as RunTold;
        [last, waits] = [id, 0];
        yield told;
        if (told.type === "run_finished") return;
      }
    }
    await wait(waitMs);
  }
  throw new Error("The run is told no further");
}

/** Asking again would not help. */
function isRefusal({ status }: Response): boolean {
  return status >= 400 && status < 500 && status !== 429;
}
