import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { TwelveError } from "../../core/errors.ts";
import { scrub } from "../../core/scrub.ts";
import { type HttpError, isInternal, toHttpError } from "./error.ts";
import type { GuardOptions } from "./guarded.ts";
import { openRefusalLog } from "./refusal.ts";

/** What becomes of a failure: the caller is answered, and the log is told of what is not the caller's. */
export interface Failures {
  readonly report: (error: unknown, request: FastifyRequest) => void;
  readonly wordFailure: (error: unknown, asked: readonly [FastifyRequest, FastifyReply]) => HttpError;
}

export function addFailures(app: FastifyInstance, { write, clock, wordOwn }: Pick<GuardOptions, "write" | "clock" | "wordOwn">): Failures {
  const noteRefusal = openRefusalLog({ write, clock });
  const report: Failures["report"] = (error, request) => {
    if (!isInternal(error) || request.life.aborted) return;
    const stack = error instanceof Error ? scrub(error.stack ?? error.message) : undefined;
    const type = error instanceof TwelveError ? error.code : error instanceof Error ? error.name : typeof error;
    write("request-failed", { trace_id: request.trace.traceId, "error.type": type, "exception.stacktrace": stack });
  };
  const wordFailure: Failures["wordFailure"] = (error, asked) => wordOwn?.(error, asked) ?? toHttpError(error, asked[0].trace.traceId);
  app.setErrorHandler((error, request, reply) => {
    report(error, request);
    noteRefusal(error, request);
    const { status, body, retryAfterSeconds, isFinal } = wordFailure(error, [request, reply]);
    if (status === 401) void reply.header("www-authenticate", "Bearer");
    if (retryAfterSeconds !== undefined) void reply.header("retry-after", String(retryAfterSeconds));
    if (isFinal === true) void reply.header("x-should-retry", "false");
    return reply.code(status).send(body);
  });
  return { report, wordFailure };
}
