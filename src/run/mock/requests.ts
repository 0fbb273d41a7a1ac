import type { ServerResponse } from "node:http";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Json } from "../../core/canonical-json.ts";
import { withoutKeys } from "../../core/scrub.ts";

/** One request, as tests read it. */
export interface AskedRequest {
  /** From 1, in the order in which they came. */
  readonly number: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json;
  /** null while it is answered, and where the connection broke off before an answer began. */
  status: number | null;
  /** Whether the answer went out to its end; null while it is answered. */
  isComplete: boolean | null;
}

/** A test that runs for days must not fill the memory. */
const mostKept = 10_000;
const ignored = /^\/(?:mock\/|livez|readyz|ping|metrics)/;

/** Whose connection broke off before an answer began: what is written to them later goes nowhere. */
const unanswered = new WeakSet<ServerResponse>();

export function breakOff(response: ServerResponse): void {
  if (!response.headersSent) unanswered.add(response);
  response.destroy();
}

/** `GET /mock/requests`: what was asked so far. `DELETE /mock/requests`: begin anew, with what the answers count and with runs, too. */
export function addRequestLog(app: FastifyInstance, reset: () => void): void {
  let asked: AskedRequest[] = [];
  let count = 0;
  app.addHook("preHandler", (request, reply, done) => {
    if (ignored.test(request.url)) return done();
    const entry: AskedRequest = { number: ++count, method: request.method, path: request.url, headers: headersOf(request), body: clean(request.body as Json | undefined), status: null, isComplete: null };
    asked.push(entry);
    if (asked.length > mostKept) asked.shift();
    const { raw } = reply;
    raw.once("close", () => {
      entry.status = raw.headersSent && !unanswered.has(raw) ? raw.statusCode : null;
      entry.isComplete = raw.writableFinished;
    });
    done();
  });
  app.get("/mock/requests", () => ({ object: "list", data: asked, total: count }));
  app.delete("/mock/requests", async (_request, reply) => {
    asked = [];
    count = 0;
    reset();
    return reply.code(204).send();
  });
}

const shownHeaders = ["content-type", "user-agent", "idempotency-key", "x-session-id", "traceparent", "accept"] as const;

/** Whether a key was sent, but never which. */
function headersOf({ headers }: FastifyRequest): Readonly<Record<string, string>> {
  const shown = shownHeaders.flatMap((name) => {
    const value = headers[name];
    return typeof value === "string" ? [[name, withoutKeys(value)] as const] : [];
  });
  return { ...Object.fromEntries(shown), ...(headers.authorization === undefined ? {} : { authorization: "[key]" }) };
}

const secretName = /(?:^|[_-])(?:api_?key|secret|password|authorization|access_?token)$/i;

function clean(value: Json | undefined): Json {
  if (value === undefined) return null;
  if (typeof value === "string") return withoutKeys(value);
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return value.map(clean);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, typeof member === "string" && secretName.test(name) ? "[key]" : clean(member)]));
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}
