import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { inTime } from "../../core/deadline.ts";
import { keyedRunId } from "../agent/run-id.ts";
import { type KeptAnswer, largestAnswerBytes, type Recording } from "../answer-record.ts";
import type { Server } from "./api.ts";
import { toHttpError } from "./error.ts";
import { readIdempotencyKey, requestDigest } from "./idempotency-key.ts";
import { type Recorded, recordResponse } from "./recorded-response.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Names of the headers that decide about the answer, beside X-Session-Id. */
    deciding?: readonly string[];
  }
}

/** An answer under way that will be kept. */
interface Exchange {
  readonly recording: Recording;
  isOpen: boolean;
  /** Leaves the raw response alone from now on. */
  leave: () => void;
}

/** Of an answer's headers, what belongs to the answer; the others belong to the request that it is sent to. */
const keptHeaders = ["content-type", "location", "cache-control", "x-accel-buffering", "x-run-id", "x-should-retry"];
/** What may be answered otherwise when it is asked again, though it is no failure of the server; the run of an agent is found again by its key. */
const momentary = new Set([401, 403, 408, 409, 425, 429]);
/** How streams of the APIs say that they are complete. */
const complete = /^(?:data: \[DONE\]|event: response\.(?:completed|incomplete))/m;
/** Clients may believe the reason that stands before. Inside a text of the answer these quotes would be escaped. */
const finish = /"finish_reason":"/;
const farewellMs = 1000;

/**
 * Requests with the header `Idempotency-Key` are answered once: the same request gets the same bytes again, from whatever process. A request
 * without it pays nothing for this.
 */
export function addIdempotency(app: FastifyInstance, { runtime, report }: Server): void {
  const exchanges = new WeakMap<FastifyRequest, Exchange>();

  app.addHook("preHandler", (request, reply, done) => {
    const header = request.headers["idempotency-key"];
    if (header === undefined || request.method !== "POST" || request.is404) return done();
    begin(request, reply, header).then((kept) => (kept === undefined ? done() : replay(reply, kept)), done);
  });
  app.addHook<string | Buffer | null | object>("onSend", (request, reply, payload, done) => {
    const exchange = exchanges.get(request);
    // A stream is recorded as it is written.
    if (exchange?.isOpen !== true || (typeof payload === "object" && payload !== null && !Buffer.isBuffer(payload))) return done(null, payload);
    exchange.leave();
    settle(exchange, { status: reply.statusCode, headers: reply.getHeaders(), body: payload === null ? "" : String(payload), isComplete: true }).then(() => done(null, payload), done);
  });

  async function begin(request: FastifyRequest, { raw }: FastifyReply, header: string | string[]): Promise<KeptAnswer | undefined> {
    const key = readIdempotencyKey(header);
    const digest = requestDigest(request, request.routeOptions.config.deciding);
    // Whatever becomes of the record: what tools did for the request is not done again.
    request.runId = keyedRunId(key, digest);
    const begun = await runtime.kept().answers.begin({ caller: request.caller.key ?? "", key, digest });
    if ("kept" in begun) return begun.kept;
    const exchange: Exchange = { recording: begun.recording, isOpen: true, leave: () => {} };
    const onEnd = async (recorded: Recorded): Promise<string | undefined> => {
      if (!exchange.isOpen) return undefined;
      try {
        await settle(exchange, recorded);
        return undefined;
      } catch (error) {
        report(error, request);
        return `data: ${JSON.stringify(toHttpError(error, request.trace.traceId).body)}\n\n`;
      }
    };
    exchange.leave = recordResponse(raw, { mostBytes: largestAnswerBytes, isEnd: (text) => finish.test(text) || complete.test(text), isComplete: (end) => complete.test(end), onEnd });
    exchanges.set(request, exchange);
    // Whoever goes away before the end may ask again.
    const release = (): void => void (exchange.isOpen && giveUp(exchange));
    if (raw.destroyed) release();
    else raw.once("close", release);
    return undefined;
  }
}

/** Keeps what is definite, and frees the key for what is not. Fails where the record cannot be made: then nobody may be told that it is complete. */
async function settle(exchange: Exchange, { status, headers, body, isComplete }: Recorded): Promise<void> {
  if (!isComplete || status >= 500 || momentary.has(status)) return giveUp(exchange);
  exchange.isOpen = false;
  const kept = keptHeaders.flatMap((name) => (typeof headers[name] === "string" ? [[name, headers[name]] as const] : []));
  try {
    await exchange.recording.keep({ status, headers: Object.fromEntries(kept), body });
  } catch (error) {
    await giveUp(exchange);
    throw error;
  }
}

/** Never fails: a key that cannot be freed is free when its lease is over. */
async function giveUp(exchange: Exchange): Promise<void> {
  exchange.isOpen = false;
  await inTime(() => exchange.recording.release(), { limitMs: farewellMs, who: "The state service" }).catch(() => {});
}

function replay(reply: FastifyReply, { status, headers, body }: KeptAnswer): void {
  void reply.code(status).headers(headers).header("idempotency-replayed", "true").send(body);
}
