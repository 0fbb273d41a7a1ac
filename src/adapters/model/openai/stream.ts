import { TwelveError } from "../../../core/errors.ts";
import type { ModelChunk, ModelRequest } from "../../../ports/model.ts";
import { type HttpAnswer, lateFailure, requestIdOf } from "../../http/failure.ts";
import { saidIn } from "../../http/said.ts";
import type { StreamPart } from "../../http/stream.ts";
import { type Fields, fieldsOf } from "../../http/unchecked.ts";
import { estimateUsage } from "../estimate.ts";
import { endlessAnswer, parseEvent, readEvents } from "../stream.ts";
import { type AnswerReader, readAnswer } from "./answer.ts";
import type { ChatTarget } from "./reference.ts";

export const done = "[DONE]";

interface Asked extends Pick<ChatTarget, "service" | "url" | "model"> {
  readonly request: ModelRequest;
}

/** The chunks of an answer in OpenAI's form, whatever carried its parts; `begun` are the headers where no part has them. */
export async function* readParts(parts: AsyncIterable<StreamPart> | Iterable<StreamPart>, asked: Asked, begun: HttpAnswer["headers"] = {}): AsyncGenerator<ModelChunk> {
  const { name } = asked.service;
  const answer = readAnswer(asked.request);
  let headers = begun;
  let isDone = false;
  const read = (value: unknown): readonly ModelChunk[] => answer.read(checked(value, headers, asked));
  for await (const part of parts) {
    if (part.type === "begin") {
      ({ headers } = part);
      continue;
    }
    isDone ||= part.type === "whole" || part.events.some(({ data }) => data === done);
    if (part.type === "whole") for (const chunk of read(part.value)) yield chunk;
    else for (const chunk of readEvents(part.events, (data) => (data === done ? [] : read(parseEvent(data, name))))) yield chunk;
  }
  checkEnd(answer.state, isDone, name);
  yield* endOf(answer, headers, asked);
}

/** Fails with what the server says where it is an error that came under a status of success. */
function checked(value: unknown, headers: HttpAnswer["headers"], { service, url }: Asked): Fields {
  const chunk = fieldsOf(value);
  const isError = chunk["object"] === "error" || (chunk["error"] !== undefined && chunk["error"] !== null);
  if (isError) throw lateFailure(saidIn(chunk, JSON.stringify(chunk)), headers, { service, url });
  return chunk;
}

function endOf(answer: AnswerReader, headers: HttpAnswer["headers"], { model, request }: Asked): readonly ModelChunk[] {
  return answer.finish({ model, responseId: requestIdOf(headers), estimate: (text) => estimateUsage(request, text) });
}

/** Some servers leave out why the answer ended, and some the last event; one of the two must have come. */
function checkEnd(state: AnswerReader["state"], isDone: boolean, name: string): void {
  if (state === "empty" && isDone) throw new TwelveError("SERVICE_FAILED", `${name} answered without \`choices\``, { fix: "Check that the address is that of an OpenAI-compatible API, which most servers have below /v1" });
  if (state !== "finished" && !isDone) throw endlessAnswer(name);
}
