import { TwelveError } from "../../../core/errors.ts";
import type { FinishReason, ModelChunk, ModelRequest } from "../../../ports/model.ts";
import { lateFailure, requestIdOf } from "../../http/failure.ts";
import { saidIn } from "../../http/said.ts";
import type { StreamPart } from "../../http/stream.ts";
import { countOf, type Fields, fieldsOf, listOf, textOf } from "../../http/unchecked.ts";
import { estimateUsage } from "../estimate.ts";
import { endlessAnswer, parseEvent, readEvents } from "../stream.ts";

interface TgiTarget {
  /** The reference without options, for messages. */
  readonly name: string;
  readonly url: string;
  readonly model: string;
}

const finishReasons: Readonly<Record<string, FinishReason>> = { length: "length", eos_token: "stop", stop_sequence: "stop" };

/** The chunks of an answer in TGI's own form: one token an event, the whole text with the last one; or `[{generated_text}]` at once. */
export async function* readTgi(parts: AsyncIterable<StreamPart>, { name, url, model }: TgiTarget, request: ModelRequest): AsyncGenerator<ModelChunk> {
  let headers: Parameters<typeof requestIdOf>[0] = {};
  let text = "";
  let last: Fields | undefined;

  function read(said: unknown, isWhole: boolean): readonly ModelChunk[] {
    const event = fieldsOf(listOf(said)[0] ?? said);
    if (event["error"] !== undefined && event["error"] !== null) throw lateFailure(saidIn(event, JSON.stringify(event)), headers, { service: { name, keyName: "", key: undefined }, url });
    const piece = pieceOf(event, isWhole);
    text += piece;
    if (typeof event["generated_text"] === "string") last = event;
    return piece === "" ? [] : [{ type: "text", text: piece }];
  }

  for await (const part of parts) {
    if (part.type === "begin") {
      headers = part.headers;
      continue;
    }
    if (part.type === "whole") yield* read(part.value, true);
    // The end of another format, and of some servers that speak both.
    else yield* readEvents(part.events, (data) => (data === "[DONE]" ? [] : read(parseEvent(data, name), false)));
  }
  if (last === undefined && text === "") throw new TwelveError("SERVICE_FAILED", `${name} answered without \`generated_text\``, { fix: "Check that the endpoint's container speaks TGI's own API; for OpenAI's, write format=openai" });
  if (last === undefined) throw endlessAnswer(name);
  const details = fieldsOf(last["details"]);
  const responseId = requestIdOf(headers);
  const outputTokens = countOf(details["generated_tokens"]);
  const estimate = estimateUsage(request, text);
  yield {
    type: "end",
    finishReason: finishReasons[textOf(details["finish_reason"]) ?? ""] ?? "stop",
    // It does not say how long the prompt was.
    usage: { ...estimate, outputTokens: outputTokens ?? estimate.outputTokens },
    isUsageEstimated: true,
    model,
    ...(responseId === undefined ? {} : { responseId }),
  };
}

/** The tokens that only steer the model are no part of the text. */
function pieceOf(event: Fields, isWhole: boolean): string {
  if (isWhole) return textOf(event["generated_text"]) ?? "";
  const token = fieldsOf(event["token"]);
  return token["special"] === true ? "" : (textOf(token["text"]) ?? "");
}
