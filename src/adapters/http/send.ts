import type { Agent, Dispatcher } from "undici";
import { TwelveError } from "../../core/errors.ts";
import { connectionFailure, cutFailure } from "./failure.ts";
import type { HttpService } from "./service.ts";

const connectionsPerHost = 64;
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

type Request = (options: Dispatcher.RequestOptions) => Promise<Dispatcher.ResponseData>;

/** One pool of each kind for the whole process. Connections that are idle do not keep it alive. */
let open: Promise<Request> | undefined;
let guarded: Promise<Request> | undefined;

async function openClient(opening: Promise<Agent>): Promise<Request> {
  const [agent, { default: request }] = await Promise.all([opening, import("undici/lib/api/api-request.js")]);
  return (options) => request.call(agent, options);
}

interface AgentOptions {
  readonly isGuarded: boolean;
  /** Of what the reader itself sets no limit to. */
  readonly largestAnswerBytes?: number;
}

/** A pool of connections; a guarded one makes none to a link-local or metadata address. */
export async function openAgent({ isGuarded, largestAnswerBytes = -1 }: AgentOptions): Promise<Agent> {
  // Of undici only what is needed: the whole would double the time until the first request.
  const { default: UndiciAgent } = await import("undici/lib/dispatcher/agent.js");
  return new UndiciAgent({
    connections: connectionsPerHost,
    keepAliveTimeout: 30_000,
    maxResponseSize: largestAnswerBytes,
    connect: isGuarded ? await (await import("./guard.ts")).guardedConnector(connectTimeoutMs) : { timeout: connectTimeoutMs },
    // The timer of each request decides, whatever it is set to.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

/** The head of the answer, its body still to be read. Fails where nothing answers. */
export async function send(asked: HttpRequest, accept: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  const { service, url, body, json = body === undefined ? undefined : JSON.stringify(body), headers } = asked;
  const request = await (asked.isGuarded === true ? (guarded ??= openClient(openAgent({ isGuarded: true }))) : (open ??= openClient(openAgent({ isGuarded: false }))));
  const { origin, pathname, search } = new URL(url);
  try {
    return await request({
      origin,
      path: pathname + search,
      signal,
      method: asked.method ?? (json === undefined ? "GET" : "POST"),
      headers: {
        accept,
        ...(json === undefined ? {} : { "content-type": "application/json" }),
        ...keyHeader(service),
        ...headers,
      },
      ...(json === undefined ? {} : { body: json }),
    });
  } catch (error) {
    throw connectionFailure(error, asked);
  }
}

function keyHeader({ key, keyHeader: name }: HttpService): Readonly<Record<string, string>> {
  if (key === undefined) return {};
  return name === undefined ? { authorization: `Bearer ${key}` } : { [name]: key };
}

/** The whole body as text. Fails with SERVICE_CUT where it has no end, and with SERVICE_FAILED where it is too large. */
export async function readText(parts: AsyncIterable<Uint8Array>, asked: HttpRequest, largestBytes: number): Promise<string> {
  const text = await readUpTo(parts, asked, largestBytes);
  if (text === undefined) throw tooLarge(asked.service, largestBytes);
  return text;
}

/** The same, but undefined where it is too large. */
export async function readUpTo(parts: AsyncIterable<Uint8Array>, asked: HttpRequest, largestBytes: number): Promise<string | undefined> {
  const read: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const part of parts) {
      sizeBytes += part.byteLength;
      if (sizeBytes > largestBytes) return undefined;
      read.push(part);
    }
  } catch (error) {
    throw cutFailure(error, asked);
  }
  return Buffer.concat(read).toString("utf8");
}

export function tooLarge({ name }: HttpService, largestBytes: number): TwelveError {
  return new TwelveError("SERVICE_FAILED", `${name} answered more than ${Math.round(largestBytes / 1024)} KiB, which cannot be what was asked for`);
}
