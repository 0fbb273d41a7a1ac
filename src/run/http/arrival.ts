import type { FastifyInstance } from "fastify";
import { TwelveError } from "../../core/errors.ts";
import { traceOf, traceParent } from "../trace.ts";
import { admit, countRequest, stranger } from "./admission.ts";
import { answerPreflight, isPreflight } from "./cors.ts";
import type { GuardOptions } from "./guarded.ts";
import { isEndlessRoute, scopeOf } from "./scope.ts";
import { isTold } from "./told.ts";

/** Gives each request its trace, its life and its caller before its body is read, or refuses it. */
export function addArrival(app: FastifyInstance, { traffic, clock, access, notReady, isExposed }: GuardOptions): void {
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
      throw isTold(request, known, isExposed) ? notReady() : new TwelveError("PROCESS_NOT_READY", "The server cannot answer yet", { retry: { afterMs: null } });
    }
    if (isPreflight(request)) return answerPreflight(known.origins, request, reply);
    const { caller, limited } = admit(known, { request, reply, scope, clock });
    request.caller = caller;
    if (!isEndless) visit.limit(known.answerMs);
    if (limited === undefined) return done();
    void countRequest(limited, reply).then(() => done(), done);
  });
  // After the body, which is read to its end: to close a connection that somebody still writes to would take him the answer.
  app.addHook("preHandler", ({ isLate }, _reply, done) => {
    if (isLate) throw new TwelveError("PROCESS_STOPPING", "The server is stopping, and takes no new requests", { retry: { afterMs: null } });
    done();
  });
}
