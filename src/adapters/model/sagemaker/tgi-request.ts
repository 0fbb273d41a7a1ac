import { TwelveError } from "../../../core/errors.ts";
import type { Message, ModelRequest } from "../../../ports/model.ts";
import { wordsOf } from "../speaker.ts";

const speakers = { user: "User", assistant: "Assistant", tool: "Tool", system: "System" } as const;

/** A request in the words of TGI's own API, which knows one text and no conversation. Fails with MODEL_UNABLE for what it cannot say. */
export function tgiBody(request: ModelRequest, { name, isStream }: { readonly name: string; readonly isStream: boolean }): unknown {
  const { messages, tools = [], effort, temperature, topP, maxTokens, stop = [], seed, format, schema } = request;
  const lacking = tools.length > 0 ? "tools" : messages.some(({ images = [] }) => images.length > 0) ? "images" : effort !== undefined ? "a reasoning effort" : undefined;
  if (lacking !== undefined) throw new TwelveError("MODEL_UNABLE", `${name} cannot be given ${lacking}: the format "tgi" has no words for that`, { fix: "Use format=openai, with a container that serves chat completions" });
  const parameters = {
    details: true,
    return_full_text: false,
    // A temperature of zero is refused; it means the likeliest word each time.
    ...(temperature === undefined ? {} : temperature > 0 ? { temperature, do_sample: true } : { do_sample: false }),
    // As is all of the probability.
    ...(topP === undefined || topP >= 1 ? {} : { top_p: topP }),
    ...(maxTokens === undefined ? {} : { max_new_tokens: maxTokens }),
    ...(stop.length === 0 ? {} : { stop }),
    ...(seed === undefined ? {} : { seed }),
    ...(format === "json" && schema !== undefined ? { grammar: { type: "json", value: schema.schema } } : {}),
  };
  return { inputs: promptOf(messages, format === "json"), parameters, ...(isStream ? { stream: true } : {}) };
}

/** One question stands for itself; in a longer conversation everybody is named, and the assistant has the word. */
function promptOf(messages: readonly Message[], isJson: boolean): string {
  const system = messages.filter(({ role }) => role === "system").map(({ content }) => content);
  const instructions = isJson ? [...system, "Answer with one JSON value and nothing else."] : system;
  const spoken = messages.filter(({ role }) => role !== "system");
  const [only] = spoken;
  const said = spoken.length === 1 && only?.role === "user" ? [wordsOf(only)] : [spoken.map((message) => `${speakers[message.role]}: ${indented(wordsOf(message))}`).join("\n"), "Assistant:"];
  return [...instructions, ...(spoken.length === 1 ? said : [said.join("\n")])].filter((text) => text !== "").join("\n\n").toWellFormed();
}

/** Only a name at the start of a line begins somebody's words, and no line of what was said starts with one. */
function indented(text: string): string {
  return text.replaceAll(/\r\n?|[\n\v\f\u0085\u2028\u2029]/g, "\n  ");
}
