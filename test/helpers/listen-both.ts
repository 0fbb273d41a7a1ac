/** HTTP/1.1 and HTTP/2 on one port, as servers without TLS that AWS's clients can talk to. */
import { createServer as createHttp1, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import { createServer as createTcp, type Socket } from "node:net";

/** The first bytes of a connection tell which of the two is spoken. */
export function listenBoth(handler: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const one = createHttp1(handler);
  const two = createHttp2((request, response) => handler(request as unknown as IncomingMessage, response as unknown as ServerResponse));
  const sockets = new Set<Socket>();
  const tcp = createTcp((socket) => {
    sockets.add(socket);
    // As servers do: an answer in small pieces would wait for the other side to acknowledge each.
    socket.setNoDelay(true);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    socket.once("readable", () => {
      const start = socket.read() as Buffer | null;
      if (start === null) return;
      socket.unshift(start);
      (start.subarray(0, 3).toString("latin1") === "PRI" ? two : one).emit("connection", socket);
    });
  });
  return Object.assign(tcp as unknown as Server, { closeAllConnections: () => sockets.forEach((socket) => socket.destroy()) });
}
