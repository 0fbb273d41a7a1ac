/** Stands between a client and a server that speaks S3, counts what passes, and breaks what a test wants broken. */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { listening } from "./listen.ts";
import { answerError } from "./s3-server.ts";

/**
 * What becomes of a request: an error of S3, perhaps with seconds to wait; no answer; a connection that is reset before it was passed on ("reset") or when it
 * had its effect ("lost", or what a function does then); the answer's first bytes only ("cut"); an answer of something else than S3
 * ("garbage"). undefined passes it on.
 */
export type S3Fault = readonly [status: number, code: string, retryAfterSeconds?: number] | "hang" | "reset" | "lost" | "cut" | "garbage" | (() => void) | undefined;

export interface S3Proxy {
  readonly url: string;
  /** Method, path and the query's operation of each request, such as `PUT /stores/refs/a/.value`. */
  readonly requests: string[];
  /** Decides about each request, by its line and how many equal ones there have been, from 1. */
  fault: (line: string, time: number, request: IncomingMessage) => S3Fault;
}

export async function startS3Proxy(target: string): Promise<S3Proxy> {
  const proxy: S3Proxy = { url: "", requests: [], fault: () => undefined };
  const server = createServer((incoming, response) => {
    const { pathname, searchParams } = new URL(incoming.url ?? "/", target);
    const operation = ["list-type", "uploads", "uploadId", "partNumber"].find((name) => searchParams.has(name));
    const line = `${incoming.method} ${decodeURIComponent(pathname)}${operation === undefined ? "" : `?${operation}`}`;
    proxy.requests.push(line);
    const fault = proxy.fault(line, proxy.requests.filter((other) => other === line).length, incoming);
    if (fault === "hang") return;
    if (fault === "reset") return void incoming.socket.destroy();
    if (fault === "garbage") return void response.writeHead(200, { "content-type": "text/html" }).end("<html><body>Welcome to the proxy</body></html>");
    if (typeof fault === "object") {
      const [status, code, seconds] = fault;
      if (seconds !== undefined) response.setHeader("retry-after", seconds);
      return void incoming.resume().once("end", () => answerError(response, status, code));
    }
    passOn({ incoming, response, target, fault });
  });
  return Object.assign(proxy, { url: `http://127.0.0.1:${await listening(server)}` });
}

interface Passing {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: string;
  readonly fault: S3Fault;
}

function passOn({ incoming, response, target, fault }: Passing): void {
  const outgoing = request(target + (incoming.url ?? "/"), { method: incoming.method, headers: { ...incoming.headers, connection: "close" } }, (answer) => {
    if (fault === "lost") return void answer.resume().once("end", () => incoming.socket.destroy());
    if (typeof fault === "function") return void answer.resume().once("end", fault);
    const { connection: _, ...headers } = answer.headers;
    response.writeHead(answer.statusCode ?? 502, headers);
    if (fault !== "cut") return void answer.pipe(response);
    answer.once("data", (chunk: Buffer) => response.write(chunk.subarray(0, Math.ceil(chunk.length / 2)), () => incoming.socket.destroy()));
  });
  outgoing.once("error", () => incoming.socket.destroy());
  incoming.pipe(outgoing);
}
