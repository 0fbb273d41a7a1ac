import { eitherOf, unlessAborted } from "../../core/abort.ts";
import { TwelveError } from "../../core/errors.ts";
import { startWatch, type Watch } from "../http/watch.ts";

/** Models that think before they answer may be silent for minutes. */
const defaultSilenceMs = 300_000;

export interface Call {
  /** The reference without options, for messages. */
  readonly name: string;
  /** How long the service may be silent. */
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** An error of the SDK in our words. `hasBegun` says that the answer had begun. */
  failure(error: unknown, hasBegun: boolean): TwelveError;
}

interface SingleCall<Answer> extends Call {
  send(signal: AbortSignal): Promise<Answer>;
}

interface StreamCall<Event> extends Call {
  /** Sends the request, and gives the events once the service has accepted it. */
  open(signal: AbortSignal): Promise<AsyncIterable<Event>>;
}

/** One attempt. Fails in our words, with SERVICE_TIMEOUT when the time is up, and with the signal's reason when it is aborted. */
export async function callOnce<Answer>(call: SingleCall<Answer>): Promise<Answer> {
  call.signal?.throwIfAborted();
  const watch = watchOver(call);
  try {
    // The SDK looks for credentials and for connections without looking at the signal.
    return await unlessAborted(() => call.send(watch.signal), watch.signal);
  } catch (error) {
    if (watch.signal.aborted) throw watch.signal.reason;
    throw call.failure(error, false);
  } finally {
    watch.close();
  }
}

/** The same for an answer that comes piece by piece. A reader that leaves ends the request. */
export async function* streamOnce<Event>(call: StreamCall<Event>): AsyncGenerator<Event, void> {
  call.signal?.throwIfAborted();
  const watch = watchOver(call);
  const reader = new AbortController();
  const { signal, leave } = eitherOf(watch.signal, reader.signal);
  let hasBegun = false;
  let isWhole = false;
  try {
    const events = await unlessAborted(() => call.open(signal), watch.signal);
    hasBegun = true;
    watch.restart();
    for await (const event of events) {
      watch.pause();
      yield event;
      watch.signal.throwIfAborted();
      watch.restart();
    }
    isWhole = true;
  } catch (error) {
    if (watch.signal.aborted) throw watch.signal.reason;
    throw call.failure(error, hasBegun);
  } finally {
    watch.close();
    // The connection of a whole answer can be used again.
    if (!isWhole) reader.abort();
    leave();
  }
}

function watchOver({ name, signal, timeoutMs = defaultSilenceMs }: Call): Watch {
  const tooSlow = (): TwelveError => new TwelveError("SERVICE_TIMEOUT", `${name} did not answer within ${timeoutMs} ms`, { retry: { afterMs: null }, fix: "Try again; `timeoutMs` in the reference gives it more time" });
  return startWatch({ signal, timeoutMs, tooSlow });
}
