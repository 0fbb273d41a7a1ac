import { z } from "zod";
import type { Message, ToolCall } from "../../ports/model.ts";
import type { Asked } from "./asking.ts";
import { bystanders, choosing, choosingOf, Effort, ignored, isEmpty, isZero, JsonObject, mostEntries, never, ParticipantName, SessionName, unsupported, User, userOf } from "./field.ts";
import { ChatFormat, formatOf } from "./format.ts";
import { ChatQuestion, ChatReply, ChatWords, saidIn } from "./part.ts";
import { CallName, callOf, ChatTool, ChatToolChoice, choiceOf, choiceProblem, toolOf } from "./tool.ts";

const name = ParticipantName;
const old = "functions and function_call are not supported; use tools and tool_choice";
const Call = z.strictObject({
  id: z.string().min(1),
  // Of one that was put together from a stream.
  index: ignored,
  type: z.literal("function", { error: "Only calls of type function are supported" }),
  function: z.strictObject({ name: CallName, arguments: z.string() }),
});
const Instruction = z.strictObject({ role: z.enum(["system", "developer"]), content: ChatWords, name });
const Question = z.strictObject({ role: z.literal("user"), content: ChatQuestion, name });
/** What this server and others answer with can be sent back whole; the extra fields are not read. */
const Reply = z.strictObject({
  role: z.literal("assistant"),
  content: ChatReply.nullish(),
  refusal: z.string().nullish(),
  name,
  citations: ignored,
  annotations: ignored,
  // What some clients keep of other servers' answers.
  reasoning_content: ignored,
  reasoning: ignored,
  reasoning_details: ignored,
  audio: unsupported(never, "Audio is not supported"),
  tool_calls: z.array(Call).max(mostEntries).nullish(),
  function_call: unsupported(never, old),
});
/** Older clients name the tool again, which the call does already. */
const Result = z.strictObject({ role: z.literal("tool"), content: ChatWords, tool_call_id: z.string().min(1), name: ignored });
const ChatMessage = z.discriminatedUnion("role", [Instruction, Question, Reply, Result], {
  error: "Expected a message whose role is system, developer, user, assistant or tool",
});

/** Body of `POST /v1/chat/completions`. What would change the answer is honoured or refused, never silently dropped. */
export const ChatRequest = z
  .strictObject({
    model: z.string().min(1).meta({ description: "Name of an agent of the release" }),
    messages: z.array(ChatMessage).min(1, "At least one message is needed").max(mostEntries).meta({ description: "The conversation; the last message is the question, or the result of a tool. With a session, the new turn alone" }),
    variables: JsonObject.optional().meta({ description: "Further variables of the agent's prompt; an extension of twelve" }),
    session: SessionName.nullish().meta({ description: "The conversation that the messages go on with; an extension of twelve. The header X-Session-Id says the same" }),
    user: User,
    stream: z.boolean().nullish().meta({ description: "Send the answer as it comes, as server-sent events" }),
    stream_options: z.strictObject({ include_usage: z.boolean().nullish(), include_obfuscation: ignored }).nullish(),
    ...choosing,
    max_tokens: z.int().min(1).nullish(),
    max_completion_tokens: z.int().min(1).nullish(),
    stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(4)], { error: "Expected a string or at most four strings" }).nullish(),
    seed: z.int().nullish(),
    response_format: ChatFormat.nullish(),
    tools: z.array(ChatTool).max(mostEntries).nullish().meta({ description: "What the model may call; its calls are the answer, and the caller's business" }),
    tool_choice: ChatToolChoice.nullish(),
    ...bystanders,
    n: unsupported((value) => value === 1, "Only one answer a request is supported: leave n out or set it to 1"),
    functions: unsupported(isEmpty, old),
    function_call: unsupported((value) => value === "none" || value === "auto", old),
    modalities: unsupported((value) => Array.isArray(value) && value.every((modality) => modality === "text"), "Only text is supported"),
    audio: unsupported(never, "Audio is not supported"),
    prediction: unsupported(never, "Predicted output is not supported"),
    web_search_options: unsupported(never, "Web search is not supported"),
    logprobs: unsupported((value) => value === false, "Log probabilities are not supported"),
    top_logprobs: unsupported(isZero, "Log probabilities are not supported"),
    logit_bias: unsupported(isEmpty, "logit_bias is not supported"),
    frequency_penalty: unsupported(isZero, "frequency_penalty is not supported"),
    presence_penalty: unsupported(isZero, "presence_penalty is not supported"),
    reasoning_effort: Effort,
    verbosity: unsupported(never, "verbosity is not supported by this version"),
    moderation: unsupported(never, "moderation is not supported by this version"),
  })
  .superRefine((body, context) => {
    const refuse = (field: string, message: string | undefined): void => {
      if (message !== undefined) context.addIssue({ code: "custom", path: [field], message });
    };
    if (body.stream !== true && body.stream_options != null) refuse("stream_options", "stream_options is allowed only with stream: true");
    const { max_tokens: older, max_completion_tokens: limit } = body;
    if (older != null && limit != null && older !== limit) refuse("max_tokens", "max_tokens and max_completion_tokens differ; give one of them");
    const names = (body.tools ?? []).map((tool) => tool.function.name);
    refuse("tool_choice", choiceProblem(body.tool_choice, names));
  })
  .meta({ title: "ChatRequest", description: "Body of POST /v1/chat/completions" });
export type ChatRequest = z.infer<typeof ChatRequest>;

/** What the runtime needs of a request; a field that was left out or null is left to the release. */
export function toAnswerRequest(body: ChatRequest): Asked {
  const { reasoning_effort: effort, seed, stop, response_format: format, tools, tool_choice: choice } = body;
  return {
    agent: body.model,
    messages: body.messages.map(toMessage),
    variables: body.variables ?? {},
    isStream: body.stream === true,
    ...userOf(body.user),
    ...choosingOf(body, { effort, maxTokens: body.max_completion_tokens ?? body.max_tokens }),
    ...(stop == null ? {} : { stop: typeof stop === "string" ? [stop] : stop }),
    ...(seed == null ? {} : { seed }),
    ...(format == null ? {} : formatOf(format)),
    ...(tools == null || tools.length === 0 ? {} : { tools: tools.map((tool) => toolOf(tool.function)) }),
    ...(choice == null ? {} : { toolChoice: choiceOf(choice) }),
  };
}

function toMessage(message: z.infer<typeof ChatMessage>): Message {
  const said = saidIn(message.content);
  if (message.role === "tool") return { role: "tool", ...said, toolCallId: message.tool_call_id };
  const speaker = message.name == null ? {} : { name: message.name };
  if (message.role !== "assistant") return { role: message.role === "developer" ? "system" : message.role, ...speaker, ...said };
  const toolCalls = (message.tool_calls ?? []).map(({ id, function: called }): ToolCall => callOf(id, called.name, called.arguments));
  return { role: "assistant", ...speaker, ...said, ...(toolCalls.length === 0 ? {} : { toolCalls }) };
}
