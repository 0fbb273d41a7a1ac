import type { Dispatcher } from "undici";
import { TwelveError } from "../../core/errors.ts";
import { parseAnswer } from "./client.ts";
import { answerFailure, cutFailure, type HttpAnswer } from "./failure.ts";
import { type HttpRequest, readText, send, tooLarge } from "./send.ts";
import { quoteService } from "./service.ts";
import { startWatch, type Watch } from "./watch.ts";

/** Models that think before they answer may be silent for minutes. */
const defaultSilenceMs = 300_000;
const largestStreamBytes = 64 * 1024 * 1024;
const largestErrorBytes = 1024 * 1024;
/** What may follow the last event: the end of the body. */
const longestEndMs = 1000;

export interface StreamRequest extends HttpRequest {
  /** How long the service may be silent, before the first byte and between two. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Nothing is read after this event. */
  isLast(event: ServerEvent): boolean;
}

export interface ServerEvent {
  readonly type: "event";
  readonly name: string | undefined;
  readonly data: string;
}

/** An answer as it comes: its head, and then its events, or one JSON value from a server that does not stream. */
export type StreamPart = { readonly type: "begin"; readonly headers: HttpAnswer["headers"] } | ServerEvent | { readonly type: "whole"; readonly value: unknown };

/**
 * One attempt at an answer in server-sent events. Fails as `requestJson` does, and with SERVICE_CUT when the connection
 * breaks; whether the events are complete is for the reader to say. A reader that leaves ends the request.
 */
export async function* requestStream(request: StreamRequest): AsyncGenerator<StreamPart> {
  const { service, signal, timeoutMs = defaultSilenceMs } = request;
  signal?.throwIfAborted();
  const tooSlow = (): TwelveError => new TwelveError("SERVICE_TIMEOUT", `${service.name} was silent for ${timeoutMs} ms`, {
    retry: { afterMs: null },
    fix: "Check that the server is up; a slow one gets more time with `timeoutMs` in the reference",
  });
  const watch = startWatch({ signal, timeoutMs, tooSlow });
  let body: Dispatcher.ResponseData["body"] | undefined;
  try {
    const answer = await send(request, "text/event-stream, application/json", watch.signal);
    watch.restart();
    const { statusCode: status, headers } = answer;
    body = answer.body;
    // Destroyed, it emits an error that nobody waits for.
    body.on("error", () => undefined);
    if (status < 200 || status >= 300) throw answerFailure({ status, headers, text: await readText(body, request, largestErrorBytes) }, request);
    yield { type: "begin", headers };
    if (mayBeEvents(headers)) body = yield* readEvents(answer, request, watch);
    else yield { type: "whole", value: parseAnswer({ headers, text: await readText(body, request, largestStreamBytes) }, service) };
  } catch (error) {
    if (watch.signal.aborted) throw watch.signal.reason;
    throw error;
  } finally {
    watch.close();
    body?.destroy();
  }
}

/** Some servers name no type, or plain text; a page or JSON is something else for certain. */
function mayBeEvents(headers: HttpAnswer["headers"]): boolean {
  return !/json|html|xml/i.test(typeOf(headers));
}

function typeOf(headers: HttpAnswer["headers"]): string {
  return [headers["content-type"]].flat()[0] ?? "";
}

/** Even of a module that is loaded, an import takes as long as a short answer. */
let parsing: Promise<typeof import("eventsource-parser")> | undefined;

/** Gives the body back unless it is left to end by itself, so that its connection can be used again. */
async function* readEvents({ body, headers }: Dispatcher.ResponseData, request: StreamRequest, watch: Watch): AsyncGenerator<ServerEvent, Dispatcher.ResponseData["body"] | undefined> {
  const { createParser } = await (parsing ??= import("eventsource-parser"));
  const read: ServerEvent[] = [];
  const parser = createParser({ onEvent: ({ event: name, data }) => void read.push({ type: "event", name, data }) });
  const decoder = new TextDecoder();
  const parts = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  for (let sizeBytes = 0, isAny = false; ; ) {
    const { done = false, value } = await parts.next().catch((error: unknown) => {
      throw cutFailure(error, request);
    });
    watch.restart();
    sizeBytes += done ? 0 : value.byteLength;
    if (sizeBytes > largestStreamBytes) throw tooLarge(request.service, largestStreamBytes);
    // At the end, what was a whole line is one; an event that has no whole line is none.
    parser.feed(done ? "\n" : decoder.decode(value, { stream: true }));
    for (const event of read.splice(0)) {
      isAny = true;
      watch.pause();
      yield event;
      if (request.isLast(event)) return void readToEnd(parts, body);
      watch.restart();
    }
    if (!done) continue;
    if (!isAny && !typeOf(headers).includes("event-stream")) throw new TwelveError("SERVICE_FAILED", `${request.service.name} answered something that is no stream of events (${quoteService(typeOf(headers) || "no content type", request.service)})`);
    return body;
  }
}

async function readToEnd(parts: AsyncIterator<Uint8Array>, body: Dispatcher.ResponseData["body"]): Promise<undefined> {
  const timer = setTimeout(() => body.destroy(), longestEndMs);
  timer.unref();
  try {
    while ((await parts.next()).done !== true);
  } catch {
    // Everything that mattered was read.
  } finally {
    clearTimeout(timer);
  }
  return undefined;
}
