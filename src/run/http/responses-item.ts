import { z } from "zod";
import type { Message } from "../../ports/model.ts";
import { ignored, never, unsupported } from "./field.ts";
import { InputQuestion, InputReply, InputWords, saidIn } from "./part.ts";
import { CallName, callOf } from "./tool.ts";

/** What this server and others answer with can be sent back whole; these fields are not read. */
const asAnswered = { id: ignored, status: ignored };
const message = { type: z.literal("message").optional(), phase: ignored, ...asAnswered };
const Instruction = z.strictObject({ ...message, role: z.enum(["system", "developer"]), content: InputWords });
const Question = z.strictObject({ ...message, role: z.literal("user"), content: InputQuestion });
const Reply = z.strictObject({ ...message, role: z.literal("assistant"), content: InputReply, citations: ignored });
const SpokenItem = z.discriminatedUnion("role", [Instruction, Question, Reply], { error: "Expected a message whose role is system, developer, user or assistant" });

const CallItem = z.strictObject({
  type: z.literal("function_call"),
  call_id: z.string().min(1),
  name: CallName,
  arguments: z.string(),
  namespace: unsupported(never, "Namespaces of tools are not supported"),
  caller: ignored,
  ...asAnswered,
});
const ResultItem = z.strictObject({ type: z.literal("function_call_output"), call_id: z.string().min(1), output: InputWords, caller: ignored, ...asAnswered });

const asItem = {
  error({ input }: { readonly input: unknown }): string {
    const type = typeof input === "object" && input !== null && "type" in input ? input.type : undefined;
    if (type === "item_reference") return "Responses are not kept, so nothing can be referred to: send the items themselves (the `ai` package does with store: false), or name a conversation with `conversation`";
    return `${typeof type === "string" ? `Items of type ${type} are not supported` : "Expected an item with its type"}; message, function_call and function_call_output are`;
  },
};
/** Messages may come without their type. */
export const InputItem = z.discriminatedUnion("type", [SpokenItem, CallItem, ResultItem], asItem);
type InputItem = z.infer<typeof InputItem>;

/** The items as a conversation. Calls that stand one after the other belong to one message. */
export function messagesOf(input: string | readonly InputItem[]): readonly Message[] {
  if (typeof input === "string") return [{ role: "user", content: input }];
  const messages: Message[] = [];
  for (const item of input) {
    const last = messages.at(-1);
    if (item.type !== "function_call") messages.push(toMessage(item));
    else if (last?.role === "assistant") messages[messages.length - 1] = withCall(last, item);
    else messages.push(withCall({ role: "assistant", content: "" }, item));
  }
  return messages;
}

function withCall(message: Message, { call_id, name, arguments: given }: z.infer<typeof CallItem>): Message {
  return { ...message, toolCalls: [...(message.toolCalls ?? []), callOf(call_id, name, given)] };
}

function toMessage(item: Exclude<InputItem, { type: "function_call" }>): Message {
  if (item.type === "function_call_output") return { role: "tool", ...saidIn(item.output), toolCallId: item.call_id };
  return { role: item.role === "developer" ? "system" : item.role, ...saidIn(item.content) };
}
