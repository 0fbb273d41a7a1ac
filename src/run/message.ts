import { TwelveError } from "../core/errors.ts";
import type { Json } from "../core/canonical-json.ts";
import type { Message } from "../ports/model.ts";
import { prepareRender } from "../prompt/render.ts";
import type { CompiledPrompt, RenderedMessage } from "../prompt/schema.ts";
import { type Conversation, addInstructions } from "./conversation.ts";
import type { RetrievedChunk } from "../retrieval/schema.ts";

type Variables = Readonly<Record<string, Json>>;

/** Makes the messages that the model is sent. Fails with PROMPT_INPUT_INVALID or REQUEST_INVALID. */
export type Render = (conversation: Conversation, retrieved: readonly RetrievedChunk[], variables: Variables) => readonly Message[];

/** Prepares an agent's prompt for any number of answers. `isRetrieving` says whether twelve fills `passages` itself. */
export function prepareMessages(prompt: CompiledPrompt, isRetrieving: boolean): Render {
  const render = prepareRender(prompt);
  const own = ["question", ...(isRetrieving ? ["passages"] : [])];
  const accepted = own.filter((name) => accepts(prompt, name));
  return (conversation, retrieved, variables) => {
    const taken = own.find((name) => Object.hasOwn(variables, name));
    if (taken !== undefined) {
      throw new TwelveError("REQUEST_INVALID", `The variable ${taken} is filled by twelve: ${taken === "question" ? "it is the last user message" : "retrieval gives the passages"}. Leave it out of variables`);
    }
    const standard: Record<string, Json> = { question: conversation.question, passages: retrieved.map(passageOf) };
    const given = { ...Object.fromEntries(accepted.map((name) => [name, standard[name] ?? null])), ...variables };
    const rendered = render(given, { history: conversation.history.map(toRendered) });
    const earlier = [...conversation.history];
    const messages = rendered.map((message) => (message.metadata?.purpose === "history" ? (earlier.shift() ?? toMessage(message)) : toMessage(message)));
    return [...addGiven(addInstructions(messages, conversation), conversation), ...(conversation.after ?? [])];
  };
}

/** A prompt that declares its variables is given only those. */
function accepts({ input: { schema } }: CompiledPrompt, name: string): boolean {
  const properties = schema?.["properties"];
  if (schema === null || schema["additionalProperties"] === true) return true;
  return typeof properties === "object" && properties !== null && Object.hasOwn(properties, name);
}

function passageOf({ number, document, headings, text }: RetrievedChunk): Json {
  return { number, document, headings, text };
}

/** White space at the ends comes from the layout of the template file. */
function toMessage({ role, content }: RenderedMessage): Message {
  const text = content.map((part) => ("text" in part ? part.text : "")).join("").trim();
  const images = content.flatMap((part) => ("media" in part ? [{ url: part.media.url }] : []));
  return { role: role === "model" ? "assistant" : role, content: text, ...(images.length === 0 ? {} : { images }) };
}

/** What came with the question stands where it does: with the last message of the user. */
function addGiven(messages: readonly Message[], { images, name, history }: Conversation): readonly Message[] {
  if (images === undefined && name === undefined) return messages;
  const speaker = name === undefined ? {} : { name };
  const at = messages.findLastIndex((message) => message.role === "user" && !history.includes(message));
  const message = messages[at];
  if (message === undefined) return images === undefined ? messages : [...messages, { role: "user", ...speaker, content: "", images }];
  const all = [...(message.images ?? []), ...(images ?? [])];
  return messages.with(at, { ...message, ...speaker, ...(all.length === 0 ? {} : { images: all }) });
}

/** Rendering puts it in its place, and what it says is never read; afterwards the message itself stands there. */
function toRendered({ role, content }: Message): RenderedMessage {
  return { role: role === "assistant" ? "model" : role, content: [{ text: content }], metadata: { purpose: "history" } };
}
