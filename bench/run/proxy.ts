/** The least that anything between a client and a model can do, as a process of its own: `node bench/run/proxy.ts <upstream URL>` passes requests on with node:http and undici. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Pool } from "undici";

const [, , upstream = ""] = process.argv;
const pool = new Pool(upstream);

// A connection that rests between two rounds is not closed under whoever is about to use it.
const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  const pieces: Buffer[] = [];
  request.on("data", (piece: Buffer) => pieces.push(piece));
  request.on("end", () => {
    const sent = pool.request({ path: request.url ?? "/", method: "POST", headers: { "content-type": "application/json" }, body: Buffer.concat(pieces) });
    sent.then(({ statusCode, headers, body }) => {
      response.writeHead(statusCode, { "content-type": String(headers["content-type"]) });
      body.pipe(response);
    }, () => response.writeHead(502).end());
  });
});
server.listen(0, "127.0.0.1", 4096, () => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })}\n`);
});
