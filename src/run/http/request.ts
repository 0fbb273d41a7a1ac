import { z } from "zod";
import type { AnswerRequest } from "../schema.ts";

/** A field that other servers know and this one does not: only values that change nothing are let through. */
function unsupported(isHarmless: (value: unknown) => boolean, message: string): z.ZodType {
  return z.unknown().refine((value) => value === undefined || value === null || isHarmless(value), message).optional();
}

const isEmpty = (value: unknown): boolean => typeof value === "object" && value !== null && Object.keys(value).length === 0;
const isZero = (value: unknown): boolean => value === 0;
const never = (): boolean => false;
/** Fields that tell the provider about the caller and leave the answer as it is. */
const ignored = z.unknown().optional();

/** A text, or parts of text that are joined; what else other servers take in parts is named and refused. */
const Content = z.unknown().transform((content, context): string => {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) {
    context.addIssue({ code: "custom", message: "Expected a string or a list of text parts" });
    return z.NEVER;
  }
  const texts = content.map((part: unknown, index) => {
    const { type, text } = (typeof part === "object" && part !== null ? part : {}) as { readonly type?: unknown; readonly text?: unknown };
    if (type === "text" && typeof text === "string") return text;
    const message = typeof type === "string" && type !== "text" ? `Parts of type ${type} are not supported; only text is` : 'Expected {type: "text", text: "..."}';
    context.addIssue({ code: "custom", path: [index], message });
    return "";
  });
  return texts.join("");
});

const noTools = "Tools are not supported by this version";
const name = unsupported(never, "Names of participants are not supported; write them into the content");
const Instruction = z.strictObject({ role: z.enum(["system", "developer"]), content: Content, name });
const Question = z.strictObject({ role: z.literal("user"), content: Content, name });
/** What this server and others answer with can be sent back whole; the extra fields are not read. */
const Reply = z.strictObject({
  role: z.literal("assistant"),
  content: Content.nullish(),
  refusal: z.string().nullish(),
  name,
  citations: ignored,
  annotations: ignored,
  audio: unsupported(never, "Audio is not supported"),
  tool_calls: unsupported(isEmpty, noTools),
  function_call: unsupported(never, noTools),
});
const ChatMessage = z.discriminatedUnion("role", [Instruction, Question, Reply], {
  error: ({ input }) => {
    const role = typeof input === "object" && input !== null && "role" in input ? input.role : undefined;
    return role === "tool" || role === "function" ? noTools : "Expected a message whose role is system, developer, user or assistant";
  },
});

/** Body of `POST /v1/chat/completions`. What would change the answer is honoured or refused, never silently dropped. */
export const ChatRequest = z
  .strictObject({
    model: z.string().min(1).meta({ description: "Name of an agent of the release" }),
    messages: z.array(ChatMessage).min(1, "At least one message is needed").meta({ description: "The conversation; the last message is the question" }),
    variables: z.record(z.string(), z.json()).optional().meta({ description: "Further variables of the agent's prompt; an extension of twelve" }),
    stream: z.boolean().nullish().meta({ description: "Send the answer as it comes, as server-sent events" }),
    stream_options: z.strictObject({ include_usage: z.boolean().nullish(), include_obfuscation: ignored }).nullish(),
    temperature: z.number().min(0).max(2).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    max_tokens: z.int().min(1).nullish(),
    max_completion_tokens: z.int().min(1).nullish(),
    stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(4)], { error: "Expected a string or at most four strings" }).nullish(),
    seed: z.int().nullish(),
    response_format: z
      .discriminatedUnion("type", [z.strictObject({ type: z.literal("text") }), z.strictObject({ type: z.literal("json_object") })], {
        error: "Only {type: \"text\"} and {type: \"json_object\"} are supported",
      })
      .nullish(),
    user: ignored,
    metadata: ignored,
    store: ignored,
    service_tier: ignored,
    safety_identifier: ignored,
    prompt_cache_key: ignored,
    prompt_cache_options: ignored,
    prompt_cache_retention: ignored,
    parallel_tool_calls: ignored,
    n: unsupported((value) => value === 1, "Only one answer a request is supported: leave n out or set it to 1"),
    tools: unsupported(isEmpty, noTools),
    tool_choice: unsupported((value) => value === "none" || value === "auto", noTools),
    functions: unsupported(isEmpty, noTools),
    function_call: unsupported((value) => value === "none" || value === "auto", noTools),
    modalities: unsupported((value) => Array.isArray(value) && value.every((modality) => modality === "text"), "Only text is supported"),
    audio: unsupported(never, "Audio is not supported"),
    prediction: unsupported(never, "Predicted output is not supported"),
    web_search_options: unsupported(never, "Web search is not supported"),
    logprobs: unsupported((value) => value === false, "Log probabilities are not supported"),
    top_logprobs: unsupported(isZero, "Log probabilities are not supported"),
    logit_bias: unsupported(isEmpty, "logit_bias is not supported"),
    frequency_penalty: unsupported(isZero, "frequency_penalty is not supported"),
    presence_penalty: unsupported(isZero, "presence_penalty is not supported"),
    reasoning_effort: unsupported(never, "reasoning_effort is not supported by this version"),
    verbosity: unsupported(never, "verbosity is not supported by this version"),
    moderation: unsupported(never, "moderation is not supported by this version"),
  })
  .refine(({ stream, stream_options: options }) => stream === true || options === undefined || options === null, {
    path: ["stream_options"],
    message: "stream_options is allowed only with stream: true",
  })
  .refine(({ max_tokens: old, max_completion_tokens: limit }) => old == null || limit == null || old === limit, {
    path: ["max_tokens"],
    message: "max_tokens and max_completion_tokens differ; give one of them",
  })
  .meta({ title: "ChatRequest", description: "Body of POST /v1/chat/completions" });
export type ChatRequest = z.infer<typeof ChatRequest>;

type Given = Omit<AnswerRequest, "traceId" | "spanId" | "signal">;

/** What the runtime needs of a request; a field that was left out or null is left to the release. */
export function toAnswerRequest(body: ChatRequest): Given {
  const { temperature, top_p: topP, seed, stop, response_format: format } = body;
  const maxTokens = body.max_completion_tokens ?? body.max_tokens;
  return {
    agent: body.model,
    messages: body.messages.map(({ role, content }) => ({ role: role === "developer" ? "system" : role, content: content ?? "" })),
    variables: body.variables ?? {},
    isStream: body.stream === true,
    ...(temperature == null ? {} : { temperature }),
    ...(topP == null ? {} : { topP }),
    ...(maxTokens == null ? {} : { maxTokens }),
    ...(stop == null ? {} : { stop: typeof stop === "string" ? [stop] : stop }),
    ...(seed == null ? {} : { seed }),
    ...(format == null ? {} : { format: format.type === "json_object" ? "json" : "text" }),
  };
}
