import type { Retry } from "../../core/errors.ts";
import type { JobStatus } from "../../ports/queue.ts";

/** What is kept of a failure; `name`, `stack` and the like are of no use to who asks. */
export function failureOf(status: string, error: string | null): NonNullable<JobStatus["failure"]> & { readonly afterMs?: number | null } {
  if (error === null) return { message: status === "MAX_RECOVERY_ATTEMPTS_EXCEEDED" ? "Every worker that took it was lost" : `It ended as ${status}` };
  const { message = "", code, fix, retry } = JSON.parse(error) as { readonly message?: string; readonly code?: unknown; readonly fix?: unknown; readonly retry?: Retry };
  return { message, ...(retry === undefined ? {} : { afterMs: retry.afterMs }), ...(typeof code === "string" ? { code } : {}), ...(typeof fix === "string" ? { fix } : {}) };
}
