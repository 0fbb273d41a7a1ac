import { TwelveError } from "../../core/errors.ts";

/** Whether a failure of ours was one of these errors of the service, such as ConflictException. */
export function isNamed(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof TwelveError && error.cause instanceof Error && names.includes(error.cause.name);
}
