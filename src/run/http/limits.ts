import type { FastifyHttpOptions, FastifyReply } from "fastify";
import type { Server } from "node:http";
import type { Clock } from "../../ports/clock.ts";
import { answerClientError } from "./client-error.ts";
import { toHttpError } from "./error.ts";

/** Longer than the 60 seconds after which load balancers usually drop an idle connection, so that they do it, not we. */
const keepAliveMs = 65_000;
/** From the first byte of a request to its last, and to the end of its headers: somebody who sends slowly on purpose holds a connection no longer. */
const requestTimeoutMs = 30_000;
const headersTimeoutMs = 10_000;
/** How often these two are looked at. */
const timeoutCheckMs = 2000;
const headerBytes = 16 * 1024;

/** What holds for a request before there is one: how large, how slow and how wrong it may be. */
export function limitsOf(clock: Pick<Clock, "randomHex">): FastifyHttpOptions<Server> {
  return {
    logger: false,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    http: { maxHeaderSize: headerBytes, headersTimeout: headersTimeoutMs, connectionsCheckingInterval: timeoutCheckMs },
    clientErrorHandler: (error, socket) => answerClientError(error, socket, clock.randomHex(16)),
    return503OnClosing: false,
    // The longest name of a session, percent-encoded.
    routerOptions: { maxParamLength: 2400 },
    // Requests have IDs of their own already: the trace.
    genReqId: () => "",
    // A path that cannot be decoded is refused before any hook has run.
    frameworkErrors: (error, _request, reply: FastifyReply) => {
      const { status, body } = toHttpError(error, clock.randomHex(16));
      void reply.code(status).send(body);
    },
  };
}
