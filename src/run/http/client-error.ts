import type { Socket } from "node:net";
import { httpError } from "./error.ts";

/** What Node's parser refuses before there is a request, by Node's code. */
const refused: Readonly<Record<string, readonly [status: number, reason: string, code: string, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout", "request_timeout", "The request did not come to its end in time"],
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large", "headers_too_large", "The headers are larger than 16 KiB"],
};
const unreadable = [400, "Bad Request", "invalid_request", "This is not an HTTP request that can be read"] as const;

/** Says why and closes the connection: what comes next on it cannot be told from what was wrong. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket, traceId: string): void {
  const [status, reason, code, message] = refused[error.code ?? ""] ?? unreadable;
  // In the middle of an answer, this would become part of it.
  if (!socket.writable || socket.bytesWritten > 0) return void socket.destroy();
  const text = JSON.stringify(httpError(status, { message, param: null, code, trace_id: traceId }).body);
  socket.end(`HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\nx-trace-id: ${traceId}\r\nconnection: close\r\n\r\n${text}`);
}
