import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { TwelveError } from "../../core/errors.ts";
import { scrub } from "../scrub.ts";
import { traceOf, traceParent } from "../trace.ts";
import type { Caller, Server, ServerOptions } from "./api.ts";
import { addChat } from "./chat.ts";
import { httpError, toHttpError } from "./error.ts";
import { addHealth } from "./health.ts";
import { addModels } from "./models.ts";

const bodyLimitBytes = 1024 * 1024;
/** Longer than the 60 seconds after which load balancers usually drop an idle connection, so that they do it, not we. */
const keepAliveMs = 65_000;
const requestTimeoutMs = 30_000;
const stranger: Caller = { key: null };

/** The HTTP API over one runtime, not yet listening. */
export async function openServer(options: ServerOptions): Promise<FastifyInstance> {
  const { default: fastify } = await import("fastify");
  const { traffic, clock, writeLine } = options;
  const app = fastify({
    logger: false,
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    return503OnClosing: false,
    // Requests have IDs of their own already: the trace.
    genReqId: () => "",
    // A path that cannot be decoded is refused before any hook has run.
    frameworkErrors: (error, _request, reply: FastifyReply) => {
      const { status, body } = toHttpError(error, clock.randomHex(16));
      void reply.code(status).send(body);
    },
  });
  const report = (error: unknown, request: FastifyRequest): void => {
    const isBug = !(error instanceof TwelveError) && (error as { statusCode?: number }).statusCode === undefined;
    if (!isBug || request.life.aborted) return;
    const stack = error instanceof Error ? scrub(error.stack ?? error.message) : undefined;
    writeLine(JSON.stringify({ event: "request-failed", time: clock.now().toISOString(), trace_id: request.trace.traceId, "error.type": error instanceof Error ? error.name : typeof error, "exception.stacktrace": stack }));
  };

  app.decorateRequest("trace");
  app.decorateRequest("life");
  app.decorateRequest("caller");
  app.addHook("onRequest", (request, reply, done) => {
    const header = request.headers["traceparent"];
    const trace = traceOf(typeof header === "string" ? header : undefined, (sizeBytes) => clock.randomHex(sizeBytes));
    request.trace = trace;
    request.life = traffic.enter(reply.raw);
    request.caller = stranger;
    // OpenAI's clients show x-request-id with an error.
    void reply.headers({ traceparent: traceParent(trace), "x-trace-id": trace.traceId, "x-request-id": trace.traceId });
    if (traffic.isDraining) void reply.header("connection", "close");
    done();
  });
  // Closing at once would reset the connection under a client that is still sending, and it would never see the answer:
  // the rest of the body is read and thrown away instead, for as long as a request may take.
  app.addHook("onSend", (_request, reply, _payload, done) => {
    if (reply.statusCode === 413) void reply.header("connection", "keep-alive");
    done();
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string", bodyLimit: bodyLimitBytes }, (_request, text, done) => {
    try {
      done(null, JSON.parse(String(text)));
    } catch (cause) {
      done(new TwelveError("REQUEST_INVALID", `The body is not valid JSON: ${cause instanceof Error ? cause.message : String(cause)}`));
    }
  });
  app.setErrorHandler((error, request, reply) => {
    report(error, request);
    const { status, body, retryAfterSeconds } = toHttpError(error, request.trace.traceId);
    if (retryAfterSeconds !== undefined) void reply.header("retry-after", String(retryAfterSeconds));
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0] ?? "";
    const allowed = (["GET", "POST"] as const).filter((method) => app.findRoute({ url: path, method }) !== null || (method === "GET" && path.startsWith("/v1/models/")));
    const isKnown = allowed.length > 0;
    const message = isKnown ? `${request.method} is not allowed for ${path}; use ${allowed.join(" or ")}` : `There is nothing at ${path}. The API is POST /v1/chat/completions, GET /v1/models, GET /livez and GET /readyz`;
    const { status, body } = httpError(isKnown ? 405 : 404, { message, param: null, code: isKnown ? "method_not_allowed" : "not_found", trace_id: request.trace.traceId });
    if (isKnown) void reply.header("allow", allowed.join(", "));
    return reply.code(status).send(body);
  });

  const server: Server = { ...options, report };
  addChat(app, server);
  addModels(app, server);
  addHealth(app, server);
  return app;
}
