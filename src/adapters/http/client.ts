import type { Agent, Dispatcher } from "undici";
import { TwelveError } from "../../core/errors.ts";
import { answerFailure, connectionFailure, type HttpAnswer } from "./failure.ts";
import { type HttpService, quoteService } from "./service.ts";

const connectionsPerHost = 64;
const connectTimeoutMs = 10_000;
const defaultTimeoutMs = 120_000;
/** 2,048 vectors of 3,072 numbers, written out in full, take about 130 MB. */
const largestAnswerBytes = 256 * 1024 * 1024;

export interface JsonRequest {
  readonly service: HttpService;
  readonly url: string;
  /** Sent as JSON by POST; without it the request is a GET. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** For the whole exchange, from the first connection to the last byte. */
  readonly timeoutMs?: number | undefined;
  readonly maxAnswerBytes?: number;
  /** Statuses that may pass, besides 408, 425, 429 and those from 500 on. */
  readonly passing?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * One attempt: sends, waits, and gives the answer's JSON value. Fails with SERVICE_DENIED, SERVICE_LIMITED or SERVICE_FAILED,
 * with `retry` where the same call may succeed later; an aborted signal ends it with the signal's reason.
 */
export async function requestJson(request: JsonRequest): Promise<unknown> {
  const { service, signal, timeoutMs = defaultTimeoutMs } = request;
  signal?.throwIfAborted();
  const controller = new AbortController();
  const tooSlow = new TwelveError("SERVICE_FAILED", `${service.name} did not answer within ${timeoutMs} ms`, {
    retry: { afterMs: null },
    fix: "Check that the server is up; a slow one gets more time with `timeoutMs` in the reference",
  });
  const onAbort = (): void => controller.abort(signal?.reason);
  const timer = setTimeout(() => controller.abort(tooSlow), timeoutMs);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const answer = await exchange(request, controller.signal);
    if (answer.status < 200 || answer.status >= 300) throw answerFailure(answer, request);
    return parse(answer, service);
  } catch (error) {
    if (controller.signal.aborted) throw controller.signal.reason;
    throw error instanceof TwelveError ? error : connectionFailure(error, request);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

interface Client {
  readonly agent: Agent;
  readonly request: (url: string, options: { readonly dispatcher: Agent } & Omit<Dispatcher.RequestOptions, "origin" | "path">) => Promise<Dispatcher.ResponseData>;
}

/** One pool for the whole process. Connections that are idle do not keep it alive. */
let client: Promise<Client> | undefined;

async function openClient(): Promise<Client> {
  // Bundled, a CommonJS package has a default export only.
  const { default: undici } = await import("undici");
  const agent = new undici.Agent({
    connections: connectionsPerHost,
    keepAliveTimeout: 30_000,
    connect: { timeout: connectTimeoutMs },
    // The timer of each request decides, whatever it is set to.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return { agent, request: undici.request };
}

async function exchange({ service, url, body, headers, maxAnswerBytes = largestAnswerBytes }: JsonRequest, signal: AbortSignal): Promise<HttpAnswer> {
  const { agent, request } = await (client ??= openClient());
  const { statusCode, headers: answered, body: stream } = await request(url, {
    dispatcher: agent,
    signal,
    method: body === undefined ? "GET" : "POST",
    headers: {
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(service.key === undefined ? {} : { authorization: `Bearer ${service.key}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const part of stream as AsyncIterable<Uint8Array>) {
    sizeBytes += part.byteLength;
    if (sizeBytes > maxAnswerBytes) throw new TwelveError("SERVICE_FAILED", `${service.name} answered more than ${Math.round(maxAnswerBytes / 1024)} KiB, which cannot be what was asked for`);
    parts.push(part);
  }
  return { status: statusCode, headers: answered, text: Buffer.concat(parts).toString("utf8") };
}

function parse({ text, headers }: HttpAnswer, service: HttpService): unknown {
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
