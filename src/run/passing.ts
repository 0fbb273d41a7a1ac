import { type FailureCode, TwelveError } from "../core/errors.ts";

/** What is repaired elsewhere, without a word of it here. Credentials are not: a process has those that it was started with. */
const repairedElsewhere: ReadonlySet<FailureCode> = new Set(["SERVICE_UNAVAILABLE", "SERVICE_TIMEOUT", "SERVICE_LIMITED", "SERVICE_QUOTA", "SERVICE_CUT"]);

/** Whether the same start may succeed later. What is wrong with release, configuration or credentials stays wrong. */
export function mayPass(failure: unknown): failure is TwelveError {
  return failure instanceof TwelveError && (failure.retry !== undefined || repairedElsewhere.has(failure.code));
}
