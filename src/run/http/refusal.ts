import type { FastifyRequest } from "fastify";
import { TwelveError } from "../../core/errors.ts";
import { scrub } from "../../core/scrub.ts";
import type { GuardOptions } from "./guarded.ts";
import { openBucket } from "./rate.ts";

/** Failures of whoever is not let in. */
const refusals: ReadonlySet<string> = new Set(["KEY_MISSING", "KEY_INVALID", "SCOPE_MISSING", "RATE_EXCEEDED", "ORIGIN_REFUSED", "HOST_REFUSED"]);
/** Strangers make as many as they like, and must not fill a disk with it: so many at once, and then so many a minute. */
const bounds = { burst: 20, perMinute: 60 };
/** A message may quote a header. */
const longestMessage = 300;

/** Writes an event about a request that was not let in, and with the next one how many had none. */
export function openRefusalLog({ write, clock }: Pick<GuardOptions, "write" | "clock">): (error: unknown, request: FastifyRequest) => void {
  const bucket = openBucket({ ...bounds, nowMs: () => clock.monotonicMs() });
  let omitted = 0;
  return (error, { trace, method, routeOptions }) => {
    if (!(error instanceof TwelveError) || !refusals.has(error.code)) return;
    if (!bucket.take().isAllowed) return void omitted++;
    write("request-refused", {
      trace_id: trace.traceId,
      "http.request.method": method,
      "http.route": routeOptions.url ?? null,
      "error.type": error.code,
      "error.message": scrub(error.message).slice(0, longestMessage),
      "twelve.refused.omitted": omitted,
    });
    omitted = 0;
  };
}
