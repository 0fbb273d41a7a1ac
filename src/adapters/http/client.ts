import { TwelveError } from "../../core/errors.ts";
import { answerFailure, type HttpAnswer } from "./failure.ts";
import { type HttpRequest, readUpTo, send, tooLarge } from "./send.ts";
import { type HttpService, quoteService } from "./service.ts";
import { startWatch } from "./watch.ts";

const defaultTimeoutMs = 120_000;
/** 2,048 vectors of 3,072 numbers, written out in full, take about 130 MB. */
const largestAnswerBytes = 256 * 1024 * 1024;

export interface JsonRequest extends HttpRequest {
  /** For the whole exchange, from the first connection to the last byte. */
  readonly timeoutMs?: number | undefined;
  /** What gives a slow service more time; `timeoutMs` in the reference by default. */
  readonly slowFix?: string;
  readonly maxAnswerBytes?: number;
  /** Statuses that may pass, besides 408, 425, 429 and those from 500 on. */
  readonly passing?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * One attempt: sends, waits, and gives the answer's JSON value. Fails with the SERVICE_ codes, with `retry` where the
 * same call may succeed later; an aborted signal ends it with the signal's reason.
 */
export async function requestJson(request: JsonRequest): Promise<unknown> {
  return (await requestAnswer(request)).value;
}

/** The same, with the answer's headers beside its value. */
export async function requestAnswer(request: JsonRequest): Promise<{ readonly headers: HttpAnswer["headers"]; readonly value: unknown }> {
  const answer = await requestText(request);
  return { headers: answer.headers, value: parseAnswer(answer, request.service) };
}

/** The same, with the text as it came. */
export async function requestText(request: JsonRequest): Promise<Omit<HttpAnswer, "status">> {
  const { service, maxAnswerBytes = largestAnswerBytes } = request;
  const { status, headers, text } = await exchange({ ...request, maxAnswerBytes }, "application/json");
  if (text === undefined) throw tooLarge(service, maxAnswerBytes);
  if (status < 200 || status >= 300) throw answerFailure({ status, headers, text }, request);
  return { headers, text };
}

/** One attempt, and whatever was answered; the text is undefined where it is too large. Fails as `requestJson` does where no answer came. */
export async function exchange(request: JsonRequest, accept: string): Promise<Omit<HttpAnswer, "text"> & { readonly text: string | undefined }> {
  const { service, signal, timeoutMs = defaultTimeoutMs, maxAnswerBytes = largestAnswerBytes } = request;
  signal?.throwIfAborted();
  const tooSlow = (): TwelveError => new TwelveError("SERVICE_TIMEOUT", `${service.name} did not answer within ${timeoutMs} ms`, {
    retry: { afterMs: null },
    fix: `Check that the server is up; a slow one gets more time with ${request.slowFix ?? "`timeoutMs` in the reference"}`,
  });
  const watch = startWatch({ signal, timeoutMs, tooSlow });
  try {
    const { status, headers, body } = await send(request, accept, watch.signal);
    return { status, headers, text: await readUpTo(body, maxAnswerBytes) };
  } catch (error) {
    if (watch.signal.aborted) throw watch.signal.reason;
    throw error;
  } finally {
    watch.close();
  }
}

/** Fails with SERVICE_FAILED for an answer that is not JSON, quoting its start. */
export function parseAnswer({ text, headers }: Omit<HttpAnswer, "status">, service: HttpService): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const type = [headers["content-type"]].flat()[0] ?? "no content type";
    const start = quoteService(text.slice(0, 400), service).slice(0, 80);
    throw new TwelveError("SERVICE_FAILED", `${service.name} answered something that is not JSON (${quoteService(type, service)}): ${start === "" ? "nothing" : start}`, {
      fix: "Check that the address is that of the service's API, and not of a page or a proxy before it",
    });
  }
}
