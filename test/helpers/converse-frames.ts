/** An answer of ConverseStream in frames. */
import type { ServerResponse } from "node:http";
import { scriptedUsage, type UpstreamReply } from "../ports/model-upstream.ts";
import { eventFrame, piecesOf } from "./event-stream.ts";

const stopReasons = { stop: "end_turn", length: "max_tokens", content_filter: "guardrail_intervened", tool_calls: "tool_use", error: "malformed_model_output" } as const;

/** All frames but those of the end. */
export function contentFrames({ reasons, says = [], callsTools = [] }: UpstreamReply): readonly Buffer[] {
  const frames = [eventFrame("messageStart", { role: "assistant" })];
  let contentBlockIndex = 0;
  const delta = (value: object): void => void frames.push(eventFrame("contentBlockDelta", { contentBlockIndex, delta: value }));
  const stop = (): void => void frames.push(eventFrame("contentBlockStop", { contentBlockIndex: contentBlockIndex++ }));
  if (reasons !== undefined) {
    for (const text of [reasons.slice(0, 4), reasons.slice(4)]) delta({ reasoningContent: { text } });
    delta({ reasoningContent: { signature: "c2lnbmVk" } });
    stop();
  }
  for (const text of says) delta({ text });
  if (says.length > 0) stop();
  for (const { id, name, arguments: input } of callsTools) {
    frames.push(eventFrame("contentBlockStart", { contentBlockIndex, start: { toolUse: { toolUseId: id, name } } }));
    // A call without arguments has an empty input, or none at all.
    for (const part of input === "{}" ? [""] : [input.slice(0, 5), input.slice(5)]) delta({ toolUse: { input: part } });
    stop();
  }
  return frames;
}

/** Bedrock counts what came from its cache beside the other input. */
export function endFrames({ callsTools = [], finish = callsTools.length > 0 ? "tool_calls" : "stop", usage = scriptedUsage }: UpstreamReply): readonly Buffer[] {
  const { inputTokens, outputTokens, cachedInputTokens } = usage;
  return [
    eventFrame("messageStop", { stopReason: stopReasons[finish] }),
    eventFrame("metadata", { usage: { inputTokens: inputTokens - cachedInputTokens, outputTokens, totalTokens: inputTokens + outputTokens, cacheReadInputTokens: cachedInputTokens, cacheWriteInputTokens: 0 }, metrics: { latencyMs: 12 } }),
  ];
}

/** Writes the head and the pieces, each on its way before the next, and then ends as it is told. */
export function sendFrames(frames: readonly Buffer[], { requestId, ending = "ends" }: { readonly requestId: string; readonly ending?: UpstreamReply["ending"] }): (response: ServerResponse) => void {
  return (response) => {
    response.on("error", () => undefined);
    response.writeHead(200, { "content-type": "application/vnd.amazon.eventstream", "x-amzn-requestid": requestId });
    void (async () => {
      for (const piece of piecesOf(frames)) await new Promise((resolve) => response.write(piece, resolve));
      if (ending === "ends") response.end();
      if (ending === "breaksOff") response.destroy();
    })();
  };
}
