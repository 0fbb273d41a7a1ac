import { TwelveError } from "../../core/errors.ts";
import type { SessionKey } from "../../ports/session.ts";
import { awsError } from "../aws/failure.ts";
import { tooLarge } from "./entry.ts";

/**
 * AWS has no error of its own for it: services say it with a status, in the words of a constraint ("Member must have length less than or
 * equal to"), or in their own.
 */
const words = /\btoo (?:large|long|big)\b|\b(?:size|length|bytes)\b[^.]*\b(?:exceed\w*|larger|greater|less than or equal|limit)|\bexceed\w*[^.]*\b(?:size|length|bytes|[KM]i?B)\b/i;

/** A refusal of an append by its size, as other stores tell it; any other failure as it is. */
export function sizeFailure(error: unknown, key: SessionKey): unknown {
  if (!(error instanceof TwelveError) || (error.code !== "SERVICE_REJECTED" && error.code !== "SERVICE_QUOTA")) return error;
  const { status, message } = awsError(error.cause);
  if (status === 413) return tooLarge(key, "the service refused it with the status 413, too large", error);
  return words.test(message) ? tooLarge(key, error.message, error) : error;
}
