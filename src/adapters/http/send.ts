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
  readonly method?: "DELETE";
  /** Sent as JSON. */
  readonly body?: unknown;
  /** JSON that is ready to send, instead of `body`. */
  readonly json?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

type Request = (options: Dispatcher.RequestOptions) => Promise<Dispatcher.ResponseData>;

/** One pool for the whole process. Connections that are idle do not keep it alive. */
let client: Promise<Request> | undefined;

async function openClient(): Promise<Request> {
  // Of undici only what is needed: the whole would double the time until the first request.
  const [{ default: UndiciAgent }, { default: request }] = await Promise.all([import("undici/lib/dispatcher/agent.js"), import("undici/lib/api/api-request.js")]);
  const agent: Agent = new UndiciAgent({
    connections: connectionsPerHost,
    keepAliveTimeout: 30_000,
    connect: { timeout: connectTimeoutMs },
    // The timer of each request decides, whatever it is set to.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return (options) => request.call(agent, options);
}

/** The head of the answer, its body still to be read. Fails where nothing answers. */
export async function send(asked: HttpRequest, accept: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  const { service, url, body, json = body === undefined ? undefined : JSON.stringify(body), headers } = asked;
  const request = await (client ??= openClient());
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
  const read: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const part of parts) {
      sizeBytes += part.byteLength;
      if (sizeBytes > largestBytes) throw tooLarge(asked.service, largestBytes);
      read.push(part);
    }
  } catch (error) {
    throw error instanceof TwelveError ? error : cutFailure(error, asked);
  }
  return Buffer.concat(read).toString("utf8");
}

export function tooLarge({ name }: HttpService, largestBytes: number): TwelveError {
  return new TwelveError("SERVICE_FAILED", `${name} answered more than ${Math.round(largestBytes / 1024)} KiB, which cannot be what was asked for`);
}
