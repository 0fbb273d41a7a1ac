import type { FastifyInstance } from "fastify";
import { httpError } from "./error.ts";
import type { Failures } from "./failure.ts";

/** Answers what no route takes: 405 with the methods of the routes at that path, else 404. To be added before the routes, which it watches. */
export function addMissing(app: FastifyInstance, { noteFailed }: Pick<Failures, "noteFailed">): void {
  const routes: { readonly method: string; readonly parts: readonly string[] }[] = [];
  app.addHook("onRoute", ({ method, url }) => {
    // Of each GET the framework makes a HEAD, which goes without saying.
    for (const each of [method].flat()) if (each !== "HEAD") routes.push({ method: each, parts: url.split("/") });
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0] ?? "";
    const asked = path.split("/");
    const allowed = [...new Set(routes.filter(({ parts }) => isAt(parts, asked)).map(({ method }) => method))];
    const isKnown = allowed.length > 0;
    const hint = app.hasRoute({ method: "GET", url: "/openapi.json" }) ? ". GET /openapi.json says what there is" : "";
    const message = isKnown ? `${request.method} is not allowed for ${path}; use ${allowed.join(" or ")}` : `There is nothing at ${path}${hint}`;
    const code = isKnown ? "method_not_allowed" : "not_found";
    const { status, body } = httpError(isKnown ? 405 : 404, { message, param: null, code, trace_id: request.trace.traceId });
    noteFailed(request, { type: code, message, status });
    if (isKnown) void reply.header("allow", allowed.join(", "));
    return reply.code(status).send(body);
  });
}

/** As the router compares them: a parameter takes one part, which is not empty. */
function isAt(route: readonly string[], asked: readonly string[]): boolean {
  return route.length === asked.length && route.every((part, i) => (part.startsWith(":") ? asked[i] !== "" : part === asked[i]));
}
