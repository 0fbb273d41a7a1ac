import type { ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { exposition, metricsContentType, withProcessMetrics } from "../metrics/exposition.ts";
import type { Family } from "../metrics/family.ts";
import type { Metrics, RouteMetrics } from "../metrics/record.ts";

/** Gives the families of every process that shares the port, this one's included. */
export type CollectAll = (own: readonly Family[]) => Promise<readonly (readonly Family[])[]>;

export const collectAlone: CollectAll = (own) => Promise.resolve([own]);

/** Who only looks does no work. */
const lookers = new Set(["/livez", "/readyz", "/metrics", "/health", "/ping", "/info"]);
/** What nginx writes into its log for a client that went away before any answer. */
const clientGone = 499;

/** Counts every request, those that are refused too: to be added before any other hook. */
export function countRequests(app: FastifyInstance, metrics: Metrics): void {
  const routes = new Map<string, RouteMetrics>();
  const routeOf = (method: string, url: string): RouteMetrics => {
    const key = `${method} ${url}`;
    const found = routes.get(key) ?? metrics.route(method, url);
    routes.set(key, found);
    return found;
  };
  app.addHook("onRequest", (request, reply, done) => {
    // A path that is no route could be anything.
    const url = request.routeOptions.url ?? "other";
    follow(reply.raw, metrics, { route: routeOf(url === "other" ? "other" : request.method, url), isWork: !lookers.has(url) });
    done();
  });
}

/** `GET /metrics`. */
export function addMetrics(app: FastifyInstance, metrics: Metrics, collectAll: CollectAll = collectAlone): void {
  app.get("/metrics", async (_request, reply) => {
    const text = await exposition(await collectAll(await withProcessMetrics(metrics.families())));
    return reply.header("content-type", metricsContentType).send(text);
  });
}

/** Every way of answering, streams that write past the framework too, begins with `writeHead` and ends with `close`. */
function follow(response: ServerResponse, metrics: Metrics, { route, isWork }: { readonly route: RouteMetrics; readonly isWork: boolean }): void {
  const startedMs = performance.now();
  let firstByteMs: number | undefined;
  let isStream = false;
  if (isWork) metrics.inFlight.value++;
  const writeHead = response.writeHead.bind(response) as (...args: readonly unknown[]) => ServerResponse;
  response.writeHead = (...args: readonly unknown[]) => {
    if (firstByteMs === undefined) {
      firstByteMs = performance.now() - startedMs;
      isStream = isEventStream(args.at(-1)) || isEventStream({ "content-type": response.getHeader("content-type") });
      if (isStream) metrics.streams.value++;
    }
    return writeHead(...args);
  };
  response.once("close", () => {
    if (isWork) metrics.inFlight.value--;
    if (isStream) metrics.streams.value--;
    route.ended(firstByteMs === undefined ? clientGone : response.statusCode, performance.now() - startedMs, firstByteMs);
  });
}

function isEventStream(headers: unknown): boolean {
  const type = (headers as Readonly<Record<string, unknown>> | undefined)?.["content-type"];
  return typeof type === "string" && type.startsWith("text/event-stream");
}
