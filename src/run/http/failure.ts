import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { summaryOf, TwelveError } from "../../core/errors.ts";
import { scrub } from "../../core/scrub.ts";
import { type HttpError, isInternal, toHttpError } from "./error.ts";
import { type FailedRequest, openFailureLog } from "./failure-log.ts";
import type { GuardOptions } from "./guarded.ts";

/** What becomes of a failure: the caller is answered, and the log has the trace that the answer names. */
export interface Failures {
  /** Of a request whose response has begun, or has words of its own. */
  readonly report: (error: unknown, request: FastifyRequest, status?: number) => void;
  /** The same for what was refused without an error. */
  readonly noteFailed: (request: FastifyRequest, failed: FailedRequest) => void;
  readonly wordFailure: (error: unknown, asked: readonly [FastifyRequest, FastifyReply]) => HttpError;
}

export function addFailures(app: FastifyInstance, { write, clock, wordOwn }: Pick<GuardOptions, "write" | "clock" | "wordOwn">): Failures {
  const noteFailed = openFailureLog({ write, clock });
  const report: Failures["report"] = (error, request, status) => {
    const { life, trace } = request;
    // Nobody waits for the answer any more, unless it was the server that ended it.
    if (life.aborted && !(life.reason instanceof TwelveError)) return;
    if (!isInternal(error)) return noteFailed(request, { ...toldOf(error, trace.traceId), status });
    const type = error instanceof TwelveError ? error.code : error instanceof Error ? error.name : typeof error;
    const stack = error instanceof Error ? scrub(error.stack ?? error.message) : undefined;
    write("request-failed", { trace_id: trace.traceId, "http.request.method": request.method, "http.route": request.routeOptions.url ?? null, ...(status === undefined ? {} : { "http.response.status_code": status }), "error.type": type, "exception.stacktrace": stack });
  };
  const wordFailure: Failures["wordFailure"] = (error, asked) => wordOwn?.(error, asked) ?? toHttpError(error, asked[0].trace.traceId);
  app.setErrorHandler((error, request, reply) => {
    const { status, body, retryAfterSeconds, isFinal } = wordFailure(error, [request, reply]);
    report(error, request, status);
    if (status === 401) void reply.header("www-authenticate", "Bearer");
    if (retryAfterSeconds !== undefined) void reply.header("retry-after", String(retryAfterSeconds));
    if (isFinal === true) void reply.header("x-should-retry", "false");
    return reply.code(status).send(body);
  });
  return { report, noteFailed, wordFailure };
}

/** What the framework refuses has no code of ours, and is told in the words of the answer. */
function toldOf(error: unknown, traceId: string): Pick<FailedRequest, "type" | "message"> {
  if (error instanceof TwelveError) return { type: error.code, message: summaryOf(error) };
  const { code, message } = toHttpError(error, traceId).body.error;
  return { type: code ?? "invalid_request", message };
}
