import { TwelveError } from "../../core/errors.ts";

/** The JSON value of one event of an answer; `name` is the model's. Fails with SERVICE_FAILED. */
export function parseEvent(data: string, name: string): unknown {
  try {
    return JSON.parse(data);
  } catch (cause) {
    throw new TwelveError("SERVICE_FAILED", `${name} streamed something that is not JSON`, { cause });
  }
}

/** What an answer means whose stream came to an end before the answer did. */
export function endlessAnswer(name: string, requestId?: string): TwelveError {
  const id = requestId === undefined ? "" : ` (request ${requestId})`;
  return new TwelveError("SERVICE_CUT", `${name} broke off its answer: the stream ended without its end${id}`, { retry: { afterMs: null } });
}
