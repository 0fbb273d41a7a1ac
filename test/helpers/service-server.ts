/** A loopback HTTP service that tests and benchmarks shape: it records what it was asked, waits, and fails as it is told. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  /** The JSON value, or the text where it is lines of JSON; undefined for an empty body. */
  readonly body: unknown;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON that is ready to send, or a value to write as JSON. */
  readonly json?: string;
  readonly body?: unknown;
  /** Writes the answer itself, head and all, for one that is no JSON or comes piece by piece. */
  readonly send?: (response: ServerResponse) => void;
}

/**
 * What happens to one request instead of an answer: another reply; no answer at all; a connection that is reset before or
 * in the middle of the answer; bytes that are no JSON.
 */
export type Fault = Reply | "hang" | "reset" | "cut" | "garbage";

/** The request is carried out and its answer lost: this comes instead. */
export interface Lost {
  readonly instead: Fault;
}

export interface ServiceServer {
  /** Such as http://127.0.0.1:4711. */
  readonly url: string;
  /** Every request so far, those with a fault too. */
  readonly requests: Asked[];
  /** Taken from the front, one for each request. */
  readonly faults: Fault[];
  close(): Promise<void>;
}

export interface ServerOptions {
  /** How long each answer takes. */
  readonly delayMs?: number;
  /** Any free one by default; the one it had, for a server that comes back. */
  readonly port?: number;
  /** What happens to a request; it is answered where nothing is said. Asked after the faults that stand in the server's row. */
  readonly faultOf?: ((asked: Asked) => Fault | Lost | undefined) | undefined;
  /** Wraps the server, for one that speaks more than HTTP/1.1. */
  readonly listen?: (handler: (request: IncomingMessage, response: ServerResponse) => void) => Server;
}

export async function startServer(answer: (asked: Asked) => Reply | Promise<Reply>, { delayMs = 0, port: wanted = 0, listen = createServer, faultOf = () => undefined }: ServerOptions = {}): Promise<ServiceServer> {
  const requests: Asked[] = [];
  const faults: Fault[] = [];
  const server = listen((request, response) => {
    void (async () => {
      const asked = await readAsked(request);
      requests.push(asked);
      const found = faults.shift() ?? faultOf(asked);
      const isLost = typeof found === "object" && "instead" in found;
      if (isLost) await answer(asked);
      const fault = isLost ? found.instead : found;
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      if (typeof fault === "string") breakOff(fault, response);
      else writeReply(response, fault ?? (await answer(asked)));
    })();
  });
  await new Promise<void>((resolve) => server.listen(wanted, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    faults,
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections?.();
    }),
  };
}

/** A request, whole. */
export async function readAsked(request: IncomingMessage): Promise<Asked> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString("utf8");
  const { method = "GET", url: path = "/", headers } = request;
  return { method, path, headers, body: text === "" ? undefined : headers["content-type"]?.includes("ndjson") === true ? text : JSON.parse(text) };
}

export function writeReply(response: ServerResponse, { status = 200, headers = {}, json, body, send }: Reply): void {
  if (send !== undefined) {
    send(response);
    return;
  }
  const text = json ?? (body === undefined ? "" : JSON.stringify(body));
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(text);
}

function breakOff(fault: "hang" | "reset" | "cut" | "garbage", response: ServerResponse): void {
  if (fault === "hang") return;
  if (fault === "garbage") {
    response.writeHead(200, { "content-type": "text/html" });
    response.end("<html><body>Welcome to the proxy</body></html>");
    return;
  }
  if (fault === "reset") {
    response.destroy();
    return;
  }
  response.writeHead(200, { "content-type": "application/json", "content-length": "4096" });
  response.write('{"data":[{"index":0,');
  // Only once the first bytes are on their way.
  setTimeout(() => response.destroy(), 20);
}
