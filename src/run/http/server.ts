import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { TwelveError } from "../../core/errors.ts";
import { scrub } from "../../core/scrub.ts";
import { traceOf, traceParent } from "../trace.ts";
import { admit, stranger } from "./admission.ts";
import { addAgentCore } from "./agentcore.ts";
import type { Server, ServerOptions } from "./api.ts";
import { addChat } from "./chat.ts";
import { answerClientError } from "./client-error.ts";
import { answerPreflight, isPreflight } from "./cors.ts";
import { addEmbeddings } from "./embeddings.ts";
import { httpError, isInternal, toHttpError } from "./error.ts";
import { addHealth } from "./health.ts";
import { addIdempotency } from "./idempotency.ts";
import { jsonReader } from "./json.ts";
import { openMetrics } from "../metrics/record.ts";
import { addMetrics, countRequests } from "./metrics.ts";
import { addModels } from "./models.ts";
import { addOpenApi } from "./openapi.ts";
import { addResponses } from "./responses.ts";
import { addRuns } from "./runs.ts";
import { isEndlessRoute, scopeOf } from "./scope.ts";
import { addSearch } from "./search.ts";
import { addUi } from "./ui.ts";
import { addSessions } from "./sessions.ts";

/** Longer than the 60 seconds after which load balancers usually drop an idle connection, so that they do it, not we. */
const keepAliveMs = 65_000;
/** From the first byte of a request to its last, and to the end of its headers: somebody who sends slowly on purpose holds a connection no longer. */
const requestTimeoutMs = 30_000;
const headersTimeoutMs = 10_000;
/** How often these two are looked at. */
const timeoutCheckMs = 2000;
const headerBytes = 16 * 1024;

/** The HTTP API over one runtime, not yet listening. */
export async function openServer(options: ServerOptions): Promise<FastifyInstance> {
  const { default: fastify } = await import("fastify");
  const { traffic, clock, writeLine, access, notReady, isExposed } = options;
  const app = fastify({
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
  });
  const report = (error: unknown, request: FastifyRequest): void => {
    if (!isInternal(error) || request.life.aborted) return;
    const stack = error instanceof Error ? scrub(error.stack ?? error.message) : undefined;
    const type = error instanceof TwelveError ? error.code : error instanceof Error ? error.name : typeof error;
    writeLine(JSON.stringify({ event: "request-failed", time: clock.now().toISOString(), trace_id: request.trace.traceId, "error.type": type, "exception.stacktrace": stack }));
  };

  const wordFailure: Server["wordFailure"] = (error, asked) => options.mock?.wordFailure(error, asked) ?? toHttpError(error, asked[0].trace.traceId);
  const metrics = options.metrics ?? openMetrics();
  countRequests(app, metrics);
  app.decorateRequest("trace");
  app.decorateRequest("life");
  app.decorateRequest("caller");
  app.decorateRequest("runId");
  app.decorateRequest("isLate", false);
  app.addHook("onRoute", (route) => {
    route.config = { scope: scopeOf(route.url), isEndless: isEndlessRoute(route.url), ...route.config };
  });
  app.addHook("onRequest", (request, reply, done) => {
    const header = request.headers["traceparent"];
    const trace = traceOf(typeof header === "string" ? header : undefined, (sizeBytes) => clock.randomHex(sizeBytes));
    request.trace = trace;
    const visit = traffic.enter(request.raw, reply.raw);
    request.life = visit.signal;
    request.caller = stranger;
    // OpenAI's clients show x-request-id with an error.
    void reply.headers({ traceparent: traceParent(trace), "x-trace-id": trace.traceId, "x-request-id": trace.traceId });
    if (traffic.isStopping) void reply.header("connection", "close");
    // What nothing is at needs a key, too: who has none learns nothing about what there is.
    const { scope = "any", isEndless = false } = request.routeOptions.config;
    request.isLate = traffic.isDraining && scope !== "open";
    const known = access();
    if (known === undefined) {
      if (scope === "open") return done();
      // What it waits for is nothing for strangers, and nobody is known yet.
      throw isExposed ? new TwelveError("PROCESS_NOT_READY", "The server cannot answer yet", { retry: { afterMs: null } }) : notReady();
    }
    if (isPreflight(request)) return answerPreflight(known.origins, request, reply);
    request.caller = admit(known, { request, reply, scope, clock });
    if (!isEndless) visit.limit(known.answerMs);
    done();
  });
  // After the body, which is read to its end: to close a connection that somebody still writes to would take him the answer.
  app.addHook("preHandler", ({ isLate }, _reply, done) => {
    if (isLate) throw new TwelveError("PROCESS_STOPPING", "The server is stopping, and takes no new requests", { retry: { afterMs: null } });
    done();
  });
  // Closing at once would reset the connection under a client that is still sending, and it would never see the answer:
  // the rest of the body is read and thrown away instead, for as long as a request may take.
  app.addHook("onSend", (_request, reply, _payload, done) => {
    if (reply.statusCode === 413) void reply.header("connection", "keep-alive");
    else if (traffic.isStopping) void reply.header("connection", "close");
    done();
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", jsonReader(access));
  app.setErrorHandler((error, request, reply) => {
    report(error, request);
    const { status, body, retryAfterSeconds, isFinal } = wordFailure(error, [request, reply]);
    if (status === 401) void reply.header("www-authenticate", "Bearer");
    if (retryAfterSeconds !== undefined) void reply.header("retry-after", String(retryAfterSeconds));
    if (isFinal === true) void reply.header("x-should-retry", "false");
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0] ?? "";
    const allowed = (["GET", "POST", "DELETE"] as const).filter((method) => app.findRoute({ url: path, method }) !== null || (method === "GET" && /^\/v1\/(?:models|sessions)\//.test(path)) || (method === "DELETE" && path.startsWith("/v1/sessions/")));
    const isKnown = allowed.length > 0;
    const message = isKnown ? `${request.method} is not allowed for ${path}; use ${allowed.join(" or ")}` : `There is nothing at ${path}. GET /openapi.json says what there is`;
    const { status, body } = httpError(isKnown ? 405 : 404, { message, param: null, code: isKnown ? "method_not_allowed" : "not_found", trace_id: request.trace.traceId });
    if (isKnown) void reply.header("allow", allowed.join(", "));
    return reply.code(status).send(body);
  });

  const server: Server = { ...options, report, wordFailure };
  options.mock?.add(app);
  addIdempotency(app, server);
  addChat(app, server);
  addResponses(app, server);
  addEmbeddings(app, server);
  addSearch(app, server);
  addModels(app, server);
  addRuns(app, server);
  addSessions(app, server);
  addHealth(app, server);
  addMetrics(app, metrics, options.collectAll);
  addOpenApi(app);
  if (options.agentCore !== undefined) addAgentCore(app, server, options.agentCore);
  if (options.ui !== undefined) addUi(app, server, options.ui);
  return app;
}
