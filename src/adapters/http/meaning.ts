import type { FailureCode } from "../../core/errors.ts";
import type { Said } from "./said.ts";

export interface Meaning {
  readonly code: FailureCode;
  /** The same call may succeed later. */
  readonly mayPass: boolean;
}

const usedUp = new Set(["insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "billing_error", "insufficient_balance"]);
const filtered = new Set(["content_filter", "content_policy_violation", "ContentPolicyViolationError", "moderation_blocked"]);

/** What a status means, or a code where the service says more by it than by the status. */
export function meaningOf(status: number, { codes, message }: Said): Meaning {
  // Anthropic has no code for these two: the request was well formed.
  if (status === 402 || codes.some((code) => usedUp.has(code)) || (status === 400 && /credit balance is too low/i.test(message))) return { code: "SERVICE_QUOTA", mayPass: false };
  if (codes.some((code) => filtered.has(code)) || (status === 400 && /blocked by content filtering policy/i.test(message))) return { code: "SERVICE_FILTERED", mayPass: false };
  if (status >= 500 || status === 425) return { code: "SERVICE_UNAVAILABLE", mayPass: true };
  // OpenAI says so of a restricted key, which is a good one.
  if (status === 401 && /\bmissing scopes?:/i.test(message)) return { code: "SERVICE_DENIED", mayPass: false };
  if (status === 401) return { code: "SERVICE_UNAUTHENTICATED", mayPass: false };
  if (status === 403) return { code: "SERVICE_DENIED", mayPass: false };
  if (status === 404 || status === 405 || status === 410) return { code: "SERVICE_NOT_FOUND", mayPass: false };
  if (status === 408) return { code: "SERVICE_TIMEOUT", mayPass: true };
  if (status === 429) return { code: "SERVICE_LIMITED", mayPass: true };
  return { code: "SERVICE_REJECTED", mayPass: false };
}

/** Statuses of the errors that come after the answer began, where there is only their name. */
const statuses: Readonly<Record<string, number>> = {
  invalid_request_error: 400, authentication_error: 401, billing_error: 402, permission_error: 403, not_found_error: 404, timeout_error: 408,
  request_too_large: 413, rate_limit_error: 429, rate_limit_exceeded: 429, api_error: 500, server_error: 500, overloaded_error: 529,
};

/** The status that an error would have had before the answer began; one that nobody knows is the service's own trouble. */
export function statusOf({ codes }: Said): number {
  for (const code of codes) {
    const status = /^[45]\d\d$/.test(code) ? Number(code) : Object.hasOwn(statuses, code) ? statuses[code] : undefined;
    if (status !== undefined) return status;
  }
  return 500;
}
