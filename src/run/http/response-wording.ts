import type { CallPart } from "../../ports/model.ts";
import type { Answer } from "../schema.ts";
import type { Wording } from "./asking.ts";
import { type OutputPlace, responseMaker, type Responding } from "./response.ts";
import type { FunctionCall, ResponseEvent } from "./responses-schema.ts";
import { toldCalls } from "./told-calls.ts";

type Unnumbered<Event> = Event extends unknown ? Omit<Event, "sequence_number"> : never;

/** An answer as a `response`, or as the events that build one up. */
export function responseWording(responding: Responding): Wording {
  const maker = responseMaker(responding);
  const told = toldCalls();
  /** The message and the calls, in the order in which they began. */
  const order: OutputPlace[] = [];
  let sequence = 0;
  const { id: item_id } = maker.openMessage();

  function tell(event: Unnumbered<ResponseEvent>): string {
    return `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: sequence++ })}\n\n`;
  }

  function messagePlace(): { readonly item_id: string; readonly output_index: number; readonly content_index: 0 } {
    return { item_id, output_index: order.indexOf("message"), content_index: 0 };
  }

  function beginMessage(): string {
    if (order.includes("message")) return "";
    order.push("message");
    const place = messagePlace();
    return tell({ type: "response.output_item.added", output_index: place.output_index, item: maker.openMessage() }) + tell({ type: "response.content_part.added", ...place, part: { type: "output_text", text: "", annotations: [], logprobs: [] } });
  }

  function finishMessage(answer: Answer): string {
    const item = maker.message(answer);
    const [part] = item.content;
    if (part === undefined) return "";
    const opening = beginMessage();
    const place = messagePlace();
    return [
      opening,
      ...part.annotations.map((annotation, annotation_index) => tell({ type: "response.output_text.annotation.added", ...place, annotation_index, annotation })),
      tell({ type: "response.output_text.done", ...place, text: part.text, logprobs: [] }),
      tell({ type: "response.content_part.done", ...place, part }),
      tell({ type: "response.output_item.done", output_index: place.output_index, item }),
    ].join("");
  }

  function beginCall(item: FunctionCall, position: number): string {
    order.push(position);
    return tell({ type: "response.output_item.added", output_index: order.length - 1, item: { ...item, status: "in_progress", arguments: "" } });
  }

  function callEvents({ position, begun, arguments: delta }: CallPart): string {
    const opening = begun === undefined ? "" : beginCall(maker.call({ ...begun, arguments: "" }, position), position);
    return delta === "" ? opening : opening + tell({ type: "response.function_call_arguments.delta", item_id: maker.callId(position), output_index: order.indexOf(position), delta });
  }

  function finishCall(item: FunctionCall, position: number): string {
    const output_index = order.indexOf(position);
    return tell({ type: "response.function_call_arguments.done", item_id: item.id, output_index, name: item.name, arguments: item.arguments }) + tell({ type: "response.output_item.done", output_index, item });
  }

  return {
    whole: (answer) => maker.ended(answer),
    opening: () => tell({ type: "response.created", response: maker.started() }) + tell({ type: "response.in_progress", response: maker.started() }),
    text(delta) {
      const opening = beginMessage();
      return opening + tell({ type: "response.output_text.delta", ...messagePlace(), delta, logprobs: [] });
    },
    call(part) {
      told.add(part);
      return callEvents(part);
    },
    closing(answer) {
      // A model that only calls says nothing, and there is no message without words.
      const spoken = answer.text === "" && answer.toolCalls.length > 0 ? "" : finishMessage(answer);
      const rest = told.rest(answer.toolCalls).map(callEvents).join("");
      const called = answer.toolCalls.map((call, position) => finishCall(maker.call(call, position), position)).join("");
      const response = maker.ended(answer, order);
      return spoken + rest + called + tell({ type: response.status === "completed" ? "response.completed" : "response.incomplete", response });
    },
    failure(error) {
      const { code, message, param, trace_id } = error.body.error;
      return tell({ type: "error", code, message, param, trace_id }) + tell({ type: "response.failed", response: maker.failed(error) });
    },
  };
}
