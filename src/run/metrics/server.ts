import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Address, listenFailure, sharing, urlOf } from "../http/listen.ts";
import { exposition, metricsContentType, withProcessMetrics } from "./exposition.ts";
import type { CollectAll } from "../http/metrics.ts";
import type { Metrics } from "./record.ts";

interface Probed extends Address {
  /** Whether the process can do what it is there for. */
  readonly isReady: () => boolean;
}

export interface MetricsServer {
  readonly url: string;
  close(): void;
}

/** `GET /metrics`, `GET /livez` and `GET /readyz` of a process that serves nothing else. Fails with PORT_TAKEN, and as `listen` does. */
export async function serveMetrics(metrics: Metrics, collectAll: CollectAll, { isReady, ...address }: Probed): Promise<MetricsServer> {
  const { host, port } = address;
  const server = createServer((request, response) => {
    const path = request.url?.split("?", 1)[0];
    if (path === "/livez") return send(response, 200, "application/json; charset=utf-8", '{"status":"ok"}');
    if (path === "/readyz") return send(response, isReady() ? 200 : 503, "application/json; charset=utf-8", JSON.stringify({ status: isReady() ? "ok" : "failed" }));
    if (path !== "/metrics") return send(response, 404, "text/plain; charset=utf-8", "There is GET /metrics, GET /livez and GET /readyz\n");
    void withProcessMetrics(metrics.families())
      .then(collectAll)
      .then(exposition)
      .then((text) => send(response, 200, metricsContentType, text), () => send(response, 500, "text/plain; charset=utf-8", "The metrics could not be read\n"));
  });
  try {
    await once(server.listen({ host, port, ...sharing(address) }), "listening");
  } catch (cause) {
    throw listenFailure(cause, address);
  }
  return {
    url: urlOf(host, (server.address() as AddressInfo).port),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) }).end(text);
}
