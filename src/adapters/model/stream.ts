import { TwelveError } from "../../core/errors.ts";
import type { ModelChunk } from "../../ports/model.ts";
import type { ServerEvent } from "../http/stream.ts";

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

/**
 * What events that came together add to an answer. Their texts go on together, and the pieces of one call do: to everyone behind, a short part costs as much as a
 * long one, and no word of it is any later. What came before a failure is given before it.
 */
export function* readEvents(events: readonly ServerEvent[], read: (data: string) => readonly ModelChunk[]): Generator<ModelChunk> {
  const chunks: ModelChunk[] = [];
  try {
    for (const { data } of events) for (const chunk of read(data)) addChunk(chunks, chunk);
  } finally {
    yield* chunks;
  }
}

function addChunk(chunks: ModelChunk[], chunk: ModelChunk): void {
  const last = chunks.at(-1);
  if (chunk.type === "call_part" && last?.type === "call_part" && chunk.begun === undefined && chunk.position === last.position) chunks[chunks.length - 1] = { ...last, arguments: last.arguments + chunk.arguments };
  else if ("text" in chunk && last !== undefined && "text" in last && last.type === chunk.type) chunks[chunks.length - 1] = { type: chunk.type, text: last.text + chunk.text };
  else chunks.push(chunk);
}
