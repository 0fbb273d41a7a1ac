import type { ToolCall } from "../../ports/model.ts";
import type { Answer } from "../schema.ts";
import type { Wording } from "./asking.ts";
import { responseMaker, type Responding } from "./response.ts";
import type { ResponseEvent } from "./responses-schema.ts";

type Unnumbered<Event> = Event extends unknown ? Omit<Event, "sequence_number"> : never;

/** An answer as a `response`, or as the events that build one up. */
export function responseWording(responding: Responding): Wording {
  const maker = responseMaker(responding);
  let sequence = 0;
  let isSpeaking = false;
  const { id: item_id } = maker.openMessage();
  const place = { item_id, output_index: 0, content_index: 0 } as const;

  function tell(event: Unnumbered<ResponseEvent>): string {
    return `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: sequence++ })}\n\n`;
  }

  function begin(): string {
    if (isSpeaking) return "";
    isSpeaking = true;
    return tell({ type: "response.output_item.added", output_index: 0, item: maker.openMessage() }) + tell({ type: "response.content_part.added", ...place, part: { type: "output_text", text: "", annotations: [], logprobs: [] } });
  }

  function finishMessage(answer: Answer): string {
    const item = maker.message(answer);
    const [part] = item.content;
    if (part === undefined) return "";
    return [
      begin(),
      ...part.annotations.map((annotation, annotation_index) => tell({ type: "response.output_text.annotation.added", ...place, annotation_index, annotation })),
      tell({ type: "response.output_text.done", ...place, text: part.text, logprobs: [] }),
      tell({ type: "response.content_part.done", ...place, part }),
      tell({ type: "response.output_item.done", output_index: 0, item }),
    ].join("");
  }

  function callEvents(call: ToolCall, position: number): string {
    const item = maker.call(call, position);
    const output_index = isSpeaking ? position + 1 : position;
    const where = { item_id: item.id, output_index };
    return [
      tell({ type: "response.output_item.added", output_index, item: { ...item, status: "in_progress", arguments: "" } }),
      tell({ type: "response.function_call_arguments.delta", ...where, delta: item.arguments }),
      tell({ type: "response.function_call_arguments.done", ...where, name: item.name, arguments: item.arguments }),
      tell({ type: "response.output_item.done", output_index, item }),
    ].join("");
  }

  return {
    whole: (answer) => maker.ended(answer),
    opening: () => tell({ type: "response.created", response: maker.started() }) + tell({ type: "response.in_progress", response: maker.started() }),
    text: (delta) => begin() + tell({ type: "response.output_text.delta", ...place, delta, logprobs: [] }),
    closing(answer) {
      const response = maker.ended(answer);
      const spoken = response.output[0]?.type === "message" ? finishMessage(answer) : "";
      const called = answer.toolCalls.map(callEvents).join("");
      return spoken + called + tell({ type: response.status === "completed" ? "response.completed" : "response.incomplete", response });
    },
    failure(error) {
      const { code, message, param, trace_id } = error.body.error;
      return tell({ type: "error", code, message, param, trace_id }) + tell({ type: "response.failed", response: maker.failed(error) });
    },
  };
}
