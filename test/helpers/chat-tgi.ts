/** Answers as text-generation-inference gives them in its own API, `/generate` and `/generate_stream`: https://huggingface.github.io/text-generation-inference/ */
import type { Message } from "../../src/ports/model.ts";
import { type ReceivedRequest, scriptedUsage, type UpstreamReply } from "../ports/model-upstream.ts";
import type { ChatDialect } from "./chat-dialect.ts";

interface WireRequest {
  readonly inputs: string;
  readonly parameters: { readonly temperature?: number; readonly top_p?: number; readonly max_new_tokens?: number; readonly stop?: readonly string[] };
}

const roles: Readonly<Record<string, Message["role"]>> = { User: "user", Assistant: "assistant", Tool: "tool" };

export const tgiDialect: Pick<ChatDialect, "eventsOf" | "wholeOf" | "read"> = {
  eventsOf(reply) {
    const { says = [], ending = "ends" } = reply;
    const token = (text: string, index: number, rest: object = {}) => ({ data: JSON.stringify({ index, token: { id: index, text, logprob: -0.5, special: false }, generated_text: null, details: null, ...rest }) });
    const tokens = says.map((text, i) => token(text, i + 1));
    if (ending !== "ends") return tokens;
    return [...tokens, token("</s>", says.length + 1, { token: { id: 2, text: "</s>", logprob: 0, special: true }, ...endOf(reply) })];
  },
  wholeOf: (reply) => endOf(reply),
  read(body): ReceivedRequest {
    const { inputs, parameters: { temperature, top_p: topP, max_new_tokens: maxTokens, stop } } = body as WireRequest;
    return {
      messages: messagesIn(inputs),
      ...(maxTokens === undefined ? {} : { maxTokens }), ...(temperature === undefined ? {} : { temperature }), ...(topP === undefined ? {} : { topP }), ...(stop === undefined ? {} : { stop }),
    };
  },
};

function endOf({ says = [], finish, usage = scriptedUsage }: UpstreamReply): object {
  return { generated_text: says.join(""), details: { finish_reason: finish === "length" ? "length" : "eos_token", generated_tokens: usage.outputTokens, seed: null } };
}

/** One question stands alone at the end; in a conversation each line begins with its speaker, and the assistant has the last word. */
function messagesIn(inputs: string): readonly Message[] {
  const parts = inputs.split("\n\n");
  const last = parts.pop() ?? "";
  const system = parts.map((content): Message => ({ role: "system", content }));
  if (!last.endsWith("\nAssistant:")) return [...system, { role: "user", content: last }];
  const spoken = last.split("\n").slice(0, -1).map((line): Message => {
    const [, speaker = "", content = ""] = /^(\w+): (.*)$/.exec(line) ?? [];
    return { role: roles[speaker] ?? "user", content };
  });
  return [...system, ...spoken];
}
