import { TwelveError } from "../../core/errors.ts";
import { type JsonRequest, parseAnswer, requestText } from "./client.ts";
import type { Body } from "./dispatch.ts";
import { answerFailure, type HttpAnswer } from "./failure.ts";
import { type HttpRequest, readText, send, tooLarge } from "./send.ts";
import { quoteService } from "./service.ts";
import { startWatch } from "./watch.ts";

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
  readonly name: string | undefined;
  readonly data: string;
}

/** Events that came together. */
export interface ServerEvents {
  readonly type: "events";
  readonly events: readonly ServerEvent[];
}

/** One JSON value. */
export interface WholeAnswer {
  readonly type: "whole";
  readonly value: unknown;
}

/** An answer as it comes: its head, and then its events, or one JSON value from a server that does not stream. */
export type StreamPart = { readonly type: "begin"; readonly headers: HttpAnswer["headers"] } | ServerEvents | WholeAnswer;

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
  let body: Body | undefined;
  let isLast = false;
  try {
    const answer = await send(request, "text/event-stream, application/json", watch.signal);
    watch.restart();
    const { status, headers } = answer;
    body = answer.body;
    if (status < 200 || status >= 300) throw answerFailure({ status, headers, text: await readText(body, service, largestErrorBytes) }, request);
    yield { type: "begin", headers };
    if (!mayBeEvents(headers)) return yield { type: "whole", value: parseAnswer({ headers, text: await readText(body, service, largestStreamBytes) }, service) };
    const reader = readEvents(await (parsing ??= import("eventsource-parser")));
    for (let sizeBytes = 0, isAny = false; !isLast; ) {
      const part = await body.read();
      watch.restart();
      sizeBytes += part?.byteLength ?? 0;
      if (sizeBytes > largestStreamBytes) throw tooLarge(service, largestStreamBytes);
      const read = reader(part);
      const last = read.findIndex((event) => request.isLast(event));
      isLast = last !== -1;
      const events = isLast ? read.slice(0, last + 1) : read;
      if (events.length > 0) {
        isAny = true;
        watch.pause();
        yield { type: "events", events };
        watch.restart();
      }
      if (part !== undefined) continue;
      if (!isAny && !typeOf(headers).includes("event-stream")) throw new TwelveError("SERVICE_FAILED", `${service.name} answered something that is no stream of events (${quoteService(typeOf(headers) || "no content type", service)})`);
      return;
    }
  } catch (error) {
    if (watch.signal.aborted) throw watch.signal.reason;
    throw error;
  } finally {
    watch.close();
    body?.leave(isLast ? longestEndMs : 0);
  }
}

/** No JSON value begins so. */
const eventStart = /^\s*(?:data|event|id|retry)?:/;

/** One attempt at an answer in JSON, all of it at once; some servers send events whatever they are asked for. Fails as `requestJson` does. */
export async function requestWhole(request: JsonRequest): Promise<{ readonly headers: HttpAnswer["headers"]; readonly part: ServerEvents | WholeAnswer }> {
  const { headers, text } = await requestText(request);
  if (!eventStart.test(text)) return { headers, part: { type: "whole", value: parseAnswer({ headers, text }, request.service) } };
  const reader = readEvents(await (parsing ??= import("eventsource-parser")));
  return { headers, part: { type: "events", events: [...reader(Buffer.from(text)), ...reader(undefined)] } };
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

/** The events that each part of a body completes. At the end, what was a whole line is one; an event that has no whole line is none. */
function readEvents({ createParser }: typeof import("eventsource-parser")): (part: Uint8Array | undefined) => readonly ServerEvent[] {
  const decoder = new TextDecoder();
  let read: ServerEvent[] = [];
  const parser = createParser({ onEvent: ({ event: name, data }) => void read.push({ name, data }) });
  return (part) => {
    read = [];
    parser.feed(part === undefined ? "\n" : decoder.decode(part, { stream: true }));
    return read;
  };
}
