import { z } from "zod";
import { efforts } from "../../ports/model.ts";
import { Citation } from "./chat-schema.ts";

const Annotation = z.strictObject({
  type: z.literal("file_citation"),
  file_id: z.string().meta({ description: "The document" }),
  filename: z.string().meta({ description: "The document" }),
  index: z.int().meta({ description: "Where in the text the passage is cited" }),
});
export type Annotation = z.infer<typeof Annotation>;

const OutputText = z.strictObject({ type: z.literal("output_text"), text: z.string(), annotations: z.array(Annotation), logprobs: z.array(z.never()) });
const Status = z.enum(["in_progress", "completed", "incomplete"]);
const OutputMessage = z.strictObject({
  type: z.literal("message"),
  id: z.string(),
  status: Status,
  role: z.literal("assistant"),
  content: z.array(OutputText),
  citations: z.array(Citation).optional().meta({ description: "The passages that the text cites, in order of first mention; an extension of twelve" }),
});
export type OutputMessage = z.infer<typeof OutputMessage>;
const FunctionCall = z.strictObject({ type: z.literal("function_call"), id: z.string(), status: Status, call_id: z.string(), name: z.string(), arguments: z.string().meta({ description: "JSON as the model wrote it" }) });
export type FunctionCall = z.infer<typeof FunctionCall>;
const OutputItem = z.discriminatedUnion("type", [OutputMessage, FunctionCall]);
export type OutputItem = z.infer<typeof OutputItem>;

const Usage = z.strictObject({
  input_tokens: z.int(),
  input_tokens_details: z.strictObject({ cached_tokens: z.int(), cache_write_tokens: z.literal(0) }),
  output_tokens: z.int(),
  output_tokens_details: z.strictObject({ reasoning_tokens: z.literal(0).meta({ description: "Not told apart from the others" }) }),
  total_tokens: z.int(),
});
const asAsked = z.unknown().meta({ description: "As the request has it" });

/** A response as it stands, whole or on its way. */
export const ResponseObject = z
  .strictObject({
    id: z.string(),
    object: z.literal("response"),
    created_at: z.int().meta({ description: "Seconds since 1970" }),
    completed_at: z.int().nullable(),
    status: z.enum(["in_progress", "completed", "incomplete", "failed"]),
    error: z.strictObject({ code: z.enum(["server_error", "rate_limit_exceeded", "invalid_prompt"]), message: z.string() }).nullable(),
    incomplete_details: z.strictObject({ reason: z.enum(["max_output_tokens", "content_filter"]) }).nullable(),
    model: z.string().meta({ description: "Name of the agent" }),
    system_fingerprint: z.string().meta({ description: "Number and digest of the release; an extension of twelve" }),
    output: z.array(OutputItem),
    output_text: z.string().meta({ description: "The text of all output messages" }),
    usage: Usage.nullable(),
    conversation: z.strictObject({ id: z.string() }).nullable(),
    instructions: z.string().nullable(),
    max_output_tokens: z.int().nullable(),
    metadata: z.record(z.string(), z.string()),
    temperature: z.number().nullable().meta({ description: "As the request has it; null where the agent's holds" }),
    top_p: z.number().nullable(),
    text: asAsked,
    tools: z.array(asAsked),
    tool_choice: asAsked,
    parallel_tool_calls: z.boolean(),
    previous_response_id: z.null(),
    reasoning: z.strictObject({ effort: z.enum(efforts).nullable().meta({ description: "As the request has it; null where the model's own holds" }), summary: z.null() }),
    store: z.literal(false).meta({ description: "Responses are not kept" }),
    truncation: z.literal("disabled"),
    background: z.literal(false),
    user: z.string().nullable(),
  })
  .meta({ title: "Response", description: "A whole response" });
export type ResponseObject = z.infer<typeof ResponseObject>;

const sequenced = { sequence_number: z.int().min(0) };
const ofItem = { ...sequenced, item_id: z.string(), output_index: z.int() };
const ofPart = { ...ofItem, content_index: z.literal(0) };
const lifecycle = ["response.created", "response.in_progress", "response.completed", "response.incomplete", "response.failed"] as const;

/** One event of a stream, under its type as the event's name. The last is `response.completed`, `response.incomplete` or `response.failed`. */
export const ResponseEvent = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.enum(lifecycle), ...sequenced, response: ResponseObject }),
    z.strictObject({ type: z.enum(["response.output_item.added", "response.output_item.done"]), ...sequenced, output_index: z.int(), item: OutputItem }),
    z.strictObject({ type: z.enum(["response.content_part.added", "response.content_part.done"]), ...ofPart, part: OutputText }),
    z.strictObject({ type: z.literal("response.output_text.delta"), ...ofPart, delta: z.string(), logprobs: z.array(z.never()) }),
    z.strictObject({ type: z.literal("response.output_text.annotation.added"), ...ofPart, annotation_index: z.int(), annotation: Annotation }),
    z.strictObject({ type: z.literal("response.output_text.done"), ...ofPart, text: z.string(), logprobs: z.array(z.never()) }),
    z.strictObject({ type: z.literal("response.function_call_arguments.delta"), ...ofItem, delta: z.string() }),
    z.strictObject({ type: z.literal("response.function_call_arguments.done"), ...ofItem, name: z.string(), arguments: z.string() }),
    z.strictObject({ type: z.literal("error"), ...sequenced, code: z.string().nullable(), message: z.string(), param: z.string().nullable(), trace_id: z.string() }),
  ])
  .meta({ title: "ResponseEvent", description: "One event of a streamed response" });
export type ResponseEvent = z.infer<typeof ResponseEvent>;
