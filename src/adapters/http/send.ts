import type { Agent } from "undici";
import { TwelveError } from "../../core/errors.ts";
import { type Answered, type Body, dispatch } from "./dispatch.ts";
import { connectionFailure, cutFailure } from "./failure.ts";
import type { HttpService } from "./service.ts";

const connectTimeoutMs = 10_000;

export interface HttpRequest {
  readonly service: HttpService;
  readonly url: string;
  /** POST where there is something to send, and GET where there is nothing. */
  readonly method?: "HEAD" | "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Sent as JSON. */
  readonly body?: unknown;
  /** JSON that is ready to send, instead of `body`. */
  readonly json?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Kept from link-local and metadata addresses. */
  readonly isGuarded?: boolean;
}

/** One pool of each kind for the whole process. Connections that are idle do not keep it alive. */
let open: Promise<Agent> | undefined;
let guarded: Promise<Agent> | undefined;

interface AgentOptions {
  readonly isGuarded: boolean;
  /** Of what the reader itself sets no limit to. */
  readonly largestAnswerBytes?: number;
}

/** A pool of connections, as many as there are requests under way; a guarded one makes none to a link-local or metadata address. */
export async function openAgent({ isGuarded, largestAnswerBytes = -1 }: AgentOptions): Promise<Agent> {
  // Of undici only what is needed: the whole would double the time until the first request.
  const { default: UndiciAgent } = await import("undici/lib/dispatcher/agent.js");
  return new UndiciAgent({
    keepAliveTimeout: 30_000,
    maxResponseSize: largestAnswerBytes,
    connect: isGuarded ? await (await import("./guard.ts")).guardedConnector(connectTimeoutMs) : { timeout: connectTimeoutMs },
    // The timer of each request decides, whatever it is set to.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

/** The head of the answer, its body still to be read. Fails where nothing answers, and reading it where it breaks off. */
export async function send(asked: HttpRequest, accept: string, signal: AbortSignal): Promise<Answered> {
  const { service, body, json = body === undefined ? undefined : JSON.stringify(body), headers } = asked;
  const agent = await (asked.isGuarded === true ? (guarded ??= openAgent({ isGuarded: true })) : (open ??= openAgent({ isGuarded: false })));
  const { origin, path } = placeOf(asked);
  const options = {
    origin,
    path,
    method: asked.method ?? (json === undefined ? "GET" : "POST"),
    headers: {
      accept,
      ...(json === undefined ? {} : { "content-type": "application/json" }),
      ...keyHeader(service),
      ...headers,
    },
    ...(json === undefined ? {} : { body: json }),
  };
  return dispatch(agent, options, { signal, failureOf: (error, isBegun) => (isBegun ? cutFailure(error, asked) : connectionFailure(error, asked)) });
}

interface Place {
  readonly url: string;
  readonly origin: string;
  readonly path: string;
}

/** Where each service was asked last: mostly it is asked at the same place again, and a URL takes long to read. */
const places = new WeakMap<HttpService, Place>();

function placeOf({ service, url }: HttpRequest): Place {
  const known = places.get(service);
  if (known?.url === url) return known;
  const { origin, pathname, search } = new URL(url);
  const place = { url, origin, path: pathname + search };
  places.set(service, place);
  return place;
}

function keyHeader({ key, keyHeader: name }: HttpService): Readonly<Record<string, string>> {
  if (key === undefined) return {};
  return name === undefined ? { authorization: `Bearer ${key}` } : { [name]: key };
}

/** The whole body as text. Fails with SERVICE_CUT where it has no end, and with SERVICE_FAILED where it is too large. */
export async function readText(body: Body, service: HttpService, largestBytes: number): Promise<string> {
  const text = await readUpTo(body, largestBytes);
  if (text === undefined) throw tooLarge(service, largestBytes);
  return text;
}

/** The same, but undefined where it is too large. */
export async function readUpTo(body: Body, largestBytes: number): Promise<string | undefined> {
  const read: Uint8Array[] = [];
  for (let sizeBytes = 0; ; ) {
    const part = await body.read();
    if (part === undefined) break;
    sizeBytes += part.byteLength;
    if (sizeBytes > largestBytes) {
      body.leave(0);
      return undefined;
    }
    read.push(part);
  }
  return Buffer.concat(read).toString("utf8");
}

export function tooLarge({ name }: HttpService, largestBytes: number): TwelveError {
  return new TwelveError("SERVICE_FAILED", `${name} answered more than ${Math.round(largestBytes / 1024)} KiB, which cannot be what was asked for`);
}
