/** One connection to an HTTP server that is asked the same thing again and again. It does next to nothing, so that the server is what is measured. */
import { connect } from "node:net";

export interface Target {
  readonly url: string;
  /** Path and JSON body of the one request. */
  readonly path: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** When an answer came, in milliseconds after the request. */
export interface Timing {
  /** First byte behind the head. */
  readonly firstMs: number;
  readonly endMs: number;
}

export interface Connection {
  ask(): Promise<Timing>;
  close(): void;
}

const headEnd = "\r\n\r\n";
const chunksEnd = "0\r\n\r\n";

/** Answers have a length or are chunked. A request fails for any status but 200, a stream that lacks its last event, and a connection that ends. */
export function openConnection({ url, path, body, headers = {} }: Target): Connection {
  const { hostname, port, host } = new URL(url);
  const lines = Object.entries({ host, "content-type": "application/json", "content-length": String(Buffer.byteLength(body)), ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let onText = (_text: string): void => {};
  let onFailure = (_error: Error): void => {};
  socket.setEncoding("latin1");
  socket.on("data", (text: string) => onText(text));
  socket.on("error", (error) => onFailure(error));
  socket.on("close", () => onFailure(new Error(`${host} closed the connection`)));

  return {
    ask: () =>
      new Promise((resolve, reject) => {
        const startMs = performance.now();
        let answer = "";
        let bodyAt = -1;
        let firstMs = 0;
        onFailure = reject;
        onText = (text) => {
          answer += text;
          if (bodyAt === -1) bodyAt = bodyStart(answer);
          if (bodyAt === -1 || answer.length === bodyAt) return;
          if (firstMs === 0) firstMs = performance.now() - startMs;
          if (!isWhole(answer, bodyAt)) return;
          const fault = faultOf(answer);
          if (fault === undefined) resolve({ firstMs, endMs: performance.now() - startMs });
          else reject(new Error(`${host} answered: ${fault}`));
        };
        socket.write(request);
      }),
    close: () => void socket.destroy(),
  };
}

function bodyStart(answer: string): number {
  const end = answer.indexOf(headEnd);
  return end === -1 ? -1 : end + headEnd.length;
}

function isWhole(answer: string, bodyAt: number): boolean {
  if (answer.endsWith(chunksEnd)) return true;
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(answer.slice(0, bodyAt)) ?? [];
  return length !== undefined && answer.length - bodyAt >= Number(length);
}

function faultOf(answer: string): string | undefined {
  if (!answer.startsWith("HTTP/1.1 200")) return answer.slice(0, 1000);
  const isCut = /content-type: text\/event-stream/i.test(answer.slice(0, 1000)) && !answer.includes("data: [DONE]");
  return isCut ? answer.slice(-1000) : undefined;
}
