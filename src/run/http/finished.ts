import type { FastifyRequest } from "fastify";
import type { Server } from "./api.ts";

/** Tells, with what is known of it at the end, that a request was answered. */
export type Finished = (fields: object) => void;

/** For requests that ask no model, and so have no event of a model call: each writes one when it was answered. */
export function openFinished({ write, clock }: Pick<Server, "write" | "clock">): (request: FastifyRequest) => Finished {
  return ({ trace, method, routeOptions, caller }) => {
    const startedMs = clock.monotonicMs();
    return (fields) =>
      write("request-finished", {
        trace_id: trace.traceId,
        "http.request.method": method,
        "http.route": routeOptions.url,
        "http.response.status_code": 200,
        "twelve.duration_ms": Math.round((clock.monotonicMs() - startedMs) * 1000) / 1000,
        ...(caller.key === null ? {} : { "twelve.key.name": caller.key }),
        ...fields,
      });
  };
}
