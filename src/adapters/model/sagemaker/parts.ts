import { TwelveError } from "../../../core/errors.ts";
import type { AnswerPart } from "../../aws/sagemaker-client.ts";
import type { ServerEvent, StreamPart } from "../../http/stream.ts";

const largestBytes = 64 * 1024 * 1024;
/** A value that is streamed whole has more lines than its first, and none of them alone is one. A page is no stream either. */
const wholeType = /^(?:application\/json|text\/html)\b/i;

interface Answered {
  /** The reference without options, for messages. */
  readonly name: string;
  /** It was asked for in pieces. */
  readonly isStream: boolean;
}

/**
 * What a container wrote, put together again from parts that are cut anywhere: server-sent events, lines of JSON as some
 * containers stream them, or one value from a container that does not stream.
 */
export async function* readPayload(parts: AsyncIterable<AnswerPart>, { name, isStream }: Answered): AsyncGenerator<StreamPart> {
  const decoder = new TextDecoder();
  let isWhole = false;
  let rest = "";
  let sizeBytes = 0;
  for await (const part of parts) {
    if (part.type === "begin") {
      isWhole = !isStream || wholeType.test(part.contentType);
      yield { type: "begin", headers: part.requestId === undefined ? {} : { "x-amzn-requestid": part.requestId } };
      continue;
    }
    sizeBytes += part.bytes.byteLength;
    if (sizeBytes > largestBytes) throw new TwelveError("SERVICE_FAILED", `${name} answered more than ${largestBytes / 1024} KiB, which cannot be what was asked for`);
    rest += decoder.decode(part.bytes, { stream: true });
    // Some call it JSON and stream all the same.
    if (isWhole && !/^\s*(?:data|event|id|retry)?:/.test(rest)) continue;
    isWhole = false;
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    yield* eventsIn(lines);
  }
  rest += decoder.decode();
  if (isWhole) yield { type: "whole", value: parseWhole(rest, name) };
  else yield* eventsIn([rest]);
}

function eventsIn(lines: readonly string[]): readonly StreamPart[] {
  const events = lines.flatMap(dataIn);
  return events.length === 0 ? [] : [{ type: "events", events }];
}

/** Comments, names and IDs say nothing that is needed. */
function dataIn(line: string): readonly ServerEvent[] {
  const data = line.startsWith("data:") ? line.slice("data:".length).trim() : line.startsWith("{") || line.startsWith("[") ? line : "";
  return data === "" ? [] : [{ name: undefined, data }];
}

function parseWhole(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TwelveError("SERVICE_FAILED", `${name} answered something that is not JSON`, { cause, fix: "Check that the endpoint's container serves a language model" });
  }
}
