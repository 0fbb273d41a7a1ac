import type { FastifyRequest } from "fastify";
import { scrub } from "../../core/scrub.ts";
import type { GuardOptions } from "./guarded.ts";
import { openBucket } from "./rate.ts";

/** A request that was not answered as it was meant to be. */
export interface FailedRequest {
  /** The code of the failure. */
  readonly type: string;
  readonly message: string;
  /** Absent where the response had begun before. */
  readonly status?: number | undefined;
}

/** Failures of whoever is not let in. */
const refusals: ReadonlySet<string> = new Set(["KEY_MISSING", "KEY_INVALID", "SCOPE_MISSING", "RATE_EXCEEDED", "ORIGIN_REFUSED", "HOST_REFUSED"]);
/** Anybody makes as many as he likes, and must not fill a disk with it: so many at once, and then so many a minute. */
const bounds = { burst: 20, perMinute: 60 };
/** A message may quote a header. */
const longestMessage = 300;

/** Writes an event about a request that failed or was not let in, and with the next one how many had none. Strangers take no room from those who were let in. */
export function openFailureLog({ write, clock }: Pick<GuardOptions, "write" | "clock">): (request: FastifyRequest, failed: FailedRequest) => void {
  const openKind = (kind: "refused" | "failed") => ({ kind, bucket: openBucket({ ...bounds, nowMs: () => clock.monotonicMs() }), omitted: 0 });
  const [refused, failed] = [openKind("refused"), openKind("failed")];
  return ({ trace, method, routeOptions, caller }, { type, message, status }) => {
    const counted = refusals.has(type) ? refused : failed;
    if (!counted.bucket.take().isAllowed) return void counted.omitted++;
    write(`request-${counted.kind}`, {
      trace_id: trace.traceId,
      "http.request.method": method,
      "http.route": routeOptions.url ?? null,
      ...(status === undefined ? {} : { "http.response.status_code": status }),
      ...(caller.key === null ? {} : { "twelve.key.name": caller.key }),
      "error.type": type,
      "error.message": scrub(message).slice(0, longestMessage),
      [`twelve.${counted.kind}.omitted`]: counted.omitted,
    });
    counted.omitted = 0;
  };
}
