import type { FastifyReply, FastifyRequest } from "fastify";
import { TwelveError } from "../../core/errors.ts";

/** What a page may read of an answer. */
const exposed = [
  "x-trace-id", "x-request-id", "traceparent", "retry-after", "x-should-retry", "x-run-id", "x-session-id", "idempotency-replayed",
  "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests",
].join(", ");
const methods = "GET, POST, DELETE";
const preflightSeconds = "600";

/** Lets pages of the listed origins, and no others, read the answer. Says whether the origin is listed. */
export function allowOrigin(origins: readonly string[], origin: string | undefined, reply: FastifyReply): boolean {
  if (origins.length === 0) return false;
  const isAnyone = origins.includes("*");
  if (!isAnyone) void reply.header("vary", "Origin");
  if (origin === undefined || (!isAnyone && !origins.includes(origin))) return false;
  void reply.headers({ "access-control-allow-origin": isAnyone ? "*" : origin, "access-control-expose-headers": exposed });
  return true;
}

/** A browser's question before the request itself. It carries no key. */
export function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === "OPTIONS" && headers.origin !== undefined && headers["access-control-request-method"] !== undefined;
}

/** Yes to an origin that is listed. Whatever headers its page wants to send, the server would take from any other client. */
export function answerPreflight(origins: readonly string[], { headers }: FastifyRequest, reply: FastifyReply): void {
  if (!allowOrigin(origins, headers.origin, reply)) throw originRefused(headers.origin);
  const wanted = headers["access-control-request-headers"];
  void reply.headers({ "access-control-allow-methods": methods, "access-control-max-age": preflightSeconds, ...(typeof wanted === "string" ? { "access-control-allow-headers": wanted } : {}) });
  void reply.code(204).send();
}

export function originRefused(origin: string | undefined): TwelveError {
  return new TwelveError("ORIGIN_REFUSED", `Pages of ${origin} may not use this server; \`server.origins\` in twelve.yaml lists those that may`);
}
