import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { playedFailure } from "../../mock/fail.ts";
import { type HttpError, toHttpError, typeOf } from "../http/error.ts";
import { traceOf, traceParent } from "../trace.ts";
import { addRequestLog, breakOff } from "./requests.ts";

/** What a mock adds to the HTTP API. */
export interface MockApi {
  add(app: FastifyInstance): void;
  /** A failure as a script has it; undefined for one that no script has played. */
  wordFailure(error: unknown, asked: readonly [FastifyRequest, FastifyReply]): HttpError | undefined;
}

/** `reset` begins anew with what the answers count, and with runs. */
export function mockApi({ reset }: { readonly reset: () => void }): MockApi {
  return {
    wordFailure,
    add(app) {
      app.addHook("onRequest", (_request, reply, done) => {
        void reply.header("x-twelve-mock", "true");
        done();
      });
      // Before the log of requests, whose entries have the trace, too.
      app.addHook("preHandler", (request, reply, done) => {
        request.trace = traceByContent(request);
        const { traceId } = request.trace;
        void reply.headers({ traceparent: traceParent(request.trace), "x-trace-id": traceId, "x-request-id": traceId });
        done();
      });
      addRequestLog(app, reset);
    },
  };
}

/** The IDs of an answer are made of its trace: equal requests get equal ones. */
function traceByContent({ method, url, body, headers: { traceparent } }: FastifyRequest): FastifyRequest["trace"] {
  const hex = createHash("sha256").update(JSON.stringify([method, url, body])).digest("hex");
  return traceOf(typeof traceparent === "string" ? traceparent : undefined, (sizeBytes) => (sizeBytes === 8 ? hex.slice(32, 48) : hex.slice(0, 32)));
}

function wordFailure(error: unknown, [request, reply]: readonly [FastifyRequest, FastifyReply]): HttpError | undefined {
  const played = playedFailure(error);
  if (played === undefined) return undefined;
  const usual = toHttpError(error, request.trace.traceId);
  const { status = usual.status, message, errorCode = usual.body.error.code, retryAfterMs, reset } = played;
  if (reset === true) breakOff(reply.raw);
  // Clients of OpenAI look for it first, and tests do not want to wait for a whole second.
  if (retryAfterMs !== undefined && !reply.raw.headersSent) void reply.header("retry-after-ms", String(retryAfterMs));
  const { error: told } = usual.body;
  return { status, body: { error: { ...told, type: typeOf(status), code: errorCode, message: message ?? told.message } }, ...(retryAfterMs === undefined ? {} : { retryAfterSeconds: Math.ceil(retryAfterMs / 1000) }) };
}
