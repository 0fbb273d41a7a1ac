import type { EventSourceMessage } from "eventsource-parser";
import { EventSourceParserStream } from "eventsource-parser/stream";

/** The server-sent events of a response up to its end, however it ends; it rejects only where the signal is aborted. */
export async function* eventsIn(body: NonNullable<Response["body"]>, signal: AbortSignal): AsyncGenerator<EventSourceMessage> {
  const reader = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        if (signal.aborted) throw error;
        return { done: true, value: undefined } as const;
      });
      if (done || value === undefined) return;
      yield value;
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}
