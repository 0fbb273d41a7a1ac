import { z } from "zod";
import type { Asked } from "./asking.ts";
import { bystanders, choosing, choosingOf, Effort, ignored, isEmpty, JsonObject, mostEntries, never, SessionName, unsupported, User, userOf } from "./field.ts";
import { formatOf, TextFormat } from "./format.ts";
import { InputItem, messagesOf } from "./responses-item.ts";
import { choiceOf, choiceProblem, ResponseTool, ResponseToolChoice, toolOf } from "./tool.ts";

const Conversation = z.union([SessionName, z.strictObject({ id: SessionName })], { error: "Expected the name of a conversation, or {id}" });

/** No model shows it always, and clients ask for it by default. */
const summary = z.unknown().meta({ description: "Taken, and changes nothing: reasoning is not shown" }).optional();
const Reasoning = z.strictObject({
  effort: Effort,
  summary,
  generate_summary: summary,
  context: unsupported((value) => value === "auto", "Reasoning is not kept from turn to turn; leave it out, or set it to auto"),
  mode: unsupported((value) => value === "standard", "Only the mode standard is supported"),
});

/** Body of `POST /v1/responses`. What would change the answer is honoured or refused, never silently dropped. */
export const ResponseRequest = z
  .strictObject({
    model: z.string().min(1).meta({ description: "Name of an agent of the release" }),
    input: z.union([z.string(), z.array(InputItem).min(1).max(mostEntries)], { error: `Expected a text or a list of 1 to ${mostEntries} items` }).meta({ description: "The question, or the items of the conversation; with `conversation`, the new turn alone" }),
    instructions: z.string().nullish().meta({ description: "What the caller adds to the instructions of the agent's prompt" }),
    variables: JsonObject.optional().meta({ description: "Further variables of the agent's prompt; an extension of twelve" }),
    conversation: Conversation.nullish().meta({ description: "The session that the input goes on with; any name of the caller's" }),
    user: User,
    stream: z.boolean().nullish().meta({ description: "Send the answer as it comes, as server-sent events" }),
    stream_options: z.strictObject({ include_obfuscation: ignored }).nullish(),
    ...choosing,
    max_output_tokens: z.int().min(1).nullish(),
    text: z.strictObject({ format: TextFormat.nullish(), verbosity: unsupported(never, "verbosity is not supported by this version") }).nullish(),
    tools: z.array(ResponseTool).max(mostEntries).nullish().meta({ description: "What the model may call; its calls are the answer, and the caller's business" }),
    tool_choice: ResponseToolChoice.nullish(),
    ...bystanders,
    metadata: z.record(z.string(), z.string()).nullish().meta({ description: "Given back with the response" }),
    include: z.array(z.string()).max(mostEntries).nullish().meta({ description: "Taken, and changes nothing: there is nothing more to include" }),
    previous_response_id: unsupported(never, "Responses are not kept. Name a conversation with `conversation`, or send the earlier items again"),
    background: unsupported((value) => value === false, "Responses are not made in the background; start a run instead"),
    truncation: unsupported((value) => value === "disabled", "Only truncation: disabled is supported"),
    prompt: unsupported(never, "The prompt is that of the agent; give its variables in `variables`"),
    reasoning: Reasoning.nullish(),
    max_tool_calls: unsupported(never, "max_tool_calls is not supported: the tools of the request are called by the caller"),
    top_logprobs: unsupported((value) => value === 0, "Log probabilities are not supported"),
    moderation: unsupported(never, "moderation is not supported by this version"),
    context_management: unsupported(isEmpty, "context_management is not supported by this version"),
  })
  .superRefine((body, context) => {
    const names = (body.tools ?? []).map((tool) => tool.name);
    const message = choiceProblem(body.tool_choice, names);
    if (message !== undefined) context.addIssue({ code: "custom", path: ["tool_choice"], message });
  })
  .meta({ title: "ResponseRequest", description: "Body of POST /v1/responses" });
export type ResponseRequest = z.infer<typeof ResponseRequest>;

/** What the runtime needs of a request; a field that was left out or null is left to the release. */
export function toAsked(body: ResponseRequest): Asked {
  const { instructions, tools, tool_choice: choice } = body;
  const format = body.text?.format;
  const messages = messagesOf(body.input);
  return {
    agent: body.model,
    messages: instructions == null || instructions === "" ? messages : [{ role: "system", content: instructions }, ...messages],
    variables: body.variables ?? {},
    isStream: body.stream === true,
    ...userOf(body.user),
    ...choosingOf(body, { effort: body.reasoning?.effort, maxTokens: body.max_output_tokens }),
    ...(format == null ? {} : formatOf(format)),
    ...(tools == null || tools.length === 0 ? {} : { tools: tools.map(toolOf) }),
    ...(choice == null ? {} : { toolChoice: choiceOf(choice) }),
  };
}

export function conversationOf({ conversation }: ResponseRequest): string | undefined {
  return typeof conversation === "string" ? conversation : conversation?.id;
}
