import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { TwelveError } from "../../core/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Metrics } from "../metrics/record.ts";
import type { Access } from "./access.ts";
import { addArrival } from "./arrival.ts";
import type { HttpError } from "./error.ts";
import { addFailures, type Failures } from "./failure.ts";
import { jsonReader } from "./json.ts";
import { limitsOf } from "./limits.ts";
import { countRequests } from "./metrics.ts";
import { addMissing } from "./missing.ts";
import type { Traffic } from "./traffic.ts";

/** What every server is guarded by, whatever it serves. */
export interface GuardOptions {
  readonly traffic: Traffic;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Whom it lets in; undefined for as long as that is not known. */
  readonly access: () => Access | undefined;
  /** Why that is not known yet. */
  readonly notReady: () => TwelveError;
  /** Others than this machine may reach it. */
  readonly isExposed: boolean;
  /** Writes an event to the log, with what the server's events have in common. */
  readonly write: (event: string, fields: object) => void;
  /** A failure in words other than the usual ones. */
  readonly wordOwn?: ((error: unknown, asked: readonly [FastifyRequest, FastifyReply]) => HttpError | undefined) | undefined;
}

export interface Guarded extends Failures {
  readonly app: FastifyInstance;
}

/** A server without routes: it has limits, lets in whom it may, counts, and words what goes wrong. */
export async function openGuarded(options: GuardOptions): Promise<Guarded> {
  const { default: fastify } = await import("fastify");
  const { traffic, clock, metrics, access } = options;
  const app = fastify(limitsOf(clock));
  countRequests(app, metrics);
  addArrival(app, options);
  // Closing at once would reset the connection under a client that is still sending, and it would never see the answer:
  // the rest of the body is read and thrown away instead, for as long as a request may take.
  app.addHook("onSend", (_request, reply, _payload, done) => {
    if (reply.statusCode === 413) void reply.header("connection", "keep-alive");
    else if (traffic.isStopping) void reply.header("connection", "close");
    done();
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", jsonReader(access));
  const failures = addFailures(app, options);
  addMissing(app, failures);
  return { app, ...failures };
}
