import { Scope } from "../../config/api-key.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Set for each route when it is added. */
    scope?: RouteScope;
    /** Its answer follows something that goes on, and can be taken up again where it was cut. */
    isEndless?: boolean;
  }
}

/** `open` needs no key, `any` needs some key, a scope needs a key that has it, or one of several, and `whole` one that may do everything. */
export type RouteScope = Scope | readonly Scope[] | "open" | "any" | "whole";

/** Probes must work without a key, and so must the page of --ui, which has to ask for one; and a model's name is known to whoever may use any. */
const groups: readonly (readonly [pattern: RegExp, scope: RouteScope])[] = [
  [/^\/(?:livez|readyz|ping|health|)$/, "open"],
  [/^\/(?:v1\/models(?:\/|$)|openapi\.json$|info$)/, "any"],
  [/^\/(?:v1\/chat\/|v1\/responses(?:\/|$)|invocations$)/, "chat"],
  [/^\/v1\/embeddings$/, "embeddings"],
  [/^\/v1\/search$/, "search"],
  [/^\/v1\/agents\/:name\/runs\/:id\/approvals$/, "approvals"],
  [/^\/v1\/(?:agents|runs)\//, "runs"],
  [/^\/v1\/sessions(?:\/|$)/, "sessions"],
  [/^\/metrics$/, "metrics"],
  [/^\/rerank$/, "rerank"],
  // Frozen settings of every release, and answers of those that nobody activated.
  [/^\/ui\//, "ui"],
];

/** By a route's own pattern, not by what was asked for. A route that nobody has placed here is for keys without limits. */
export function scopeOf(route: string): RouteScope {
  return groups.find(([pattern]) => pattern.test(route))?.[1] ?? "whole";
}

export function isEndlessRoute(route: string): boolean {
  return route.endsWith("/events");
}
