import type { Json } from "../core/canonical-json.ts";
import type { Checkable } from "./check.ts";
import type { VectorHit } from "./vectors.ts";

/** One message of a conversation. Retrieved text never arrives here as a role of its own. */
export interface Message {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
  /** Which of several participants speaks: no white space, and none of `<|\\/>`. */
  readonly name?: string;
  /** Of a user, after the text. */
  readonly images?: readonly Image[];
  /** What an assistant wants called; each is answered by a `tool` message with its ID before anybody else speaks. */
  readonly toolCalls?: readonly ToolCall[];
  /** Of a `tool` message: the call that it answers. */
  readonly toolCallId?: string;
  /** Of a `tool` message: the call failed, and `content` says why. */
  readonly isError?: boolean;
  /** Of an assistant: reasoning blocks in the provider's own form, sent back unchanged to the provider that gave them. */
  readonly reasoning?: readonly Json[];
}

/** An image as clients send it: a `data:` URL, or an `https:` URL where the provider fetches by itself. */
export interface Image {
  readonly url: string;
  /** How closely it is looked at, where the model's API has a word for it. */
  readonly detail?: "low" | "high";
}

export interface Tool {
  /** `[a-zA-Z0-9_-]{1,64}`, which every provider takes. */
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments, an object. */
  readonly parameters: Readonly<Record<string, Json>>;
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON as the model wrote it: nothing promises that it can be parsed. Empty arguments are `{}`. */
  readonly arguments: string;
}

/** A piece of a call on its way. `tool_call` follows with the whole. */
export interface CallPart {
  readonly type: "call_part";
  /** Of the call among those of the answer, from 0. */
  readonly position: number;
  /** Of the first piece of a call, and of no other. */
  readonly begun?: Pick<ToolCall, "id" | "name">;
  /** What comes next of them. */
  readonly arguments: string;
}

export type ToolChoice = "auto" | "none" | "required" | { readonly name: string };

/** A retrieved passage the answer may rest on; the extractive mock answers from these. */
export interface Passage {
  /** The number that a citation such as [1] names, from 1. */
  readonly number: number;
  readonly text: string;
}

/** How a model chooses its words. What is left out is the model's own default. */
export interface Sampling {
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly maxTokens?: number | undefined;
  readonly stop?: readonly string[] | undefined;
  readonly seed?: number | undefined;
  /** How long the model thinks first. */
  readonly effort?: Effort | undefined;
  /** `json` asks for one JSON value. */
  readonly format?: "text" | "json" | undefined;
  /** JSON Schema that the JSON value must match; only with `format: "json"`. Models without such a mode are asked for JSON alone. */
  readonly schema?: { readonly name: string; readonly schema: Readonly<Record<string, Json>> } | undefined;
}

export const efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
export type Effort = (typeof efforts)[number];

/** What of it an API may have no word for. */
export type Ignorable = "temperature" | "topP" | "seed";

export interface ModelRequest extends Sampling {
  readonly messages: readonly Message[];
  /** What retrieval found, already rendered into `messages`; models that only read messages ignore it. */
  readonly passages: readonly Passage[];
  readonly tools?: readonly Tool[] | undefined;
  /** `auto` where there are tools and nothing is said. */
  readonly toolChoice?: ToolChoice | undefined;
  /** At most one tool is wanted called at a time. */
  readonly isSingleCall?: boolean | undefined;
  /** Whether calls are wanted in pieces, too, as they come: no `call_part` is given without. */
  readonly isCallStreamed?: boolean | undefined;
  /** The user's own words, as they stand in `messages` among the prompt's. The extractive mock looks for them in the passages. */
  readonly question?: string;
  /** Who asks, and what was said before the question without the prompt's own messages: mock models may answer by it. */
  readonly agent?: string;
  readonly earlier?: readonly Message[];
  /** Nobody reads the answer before its end. An API that can give it at once may be asked for that: a stream of many parts costs as many times the work. */
  readonly isWhole?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Counted by the provider, or by the adapter where the provider does not count. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Part of `inputTokens` that was read from the provider's cache. */
  readonly cachedInputTokens: number;
}

export type FinishReason = "stop" | "length" | "content_filter" | "tool_calls" | "error";

/** `reasoning` is the model's thinking aloud, where the provider shows it; it is no part of the answer. */
export type ModelChunk =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "reasoning"; readonly text: string }
  | CallPart
  | { readonly type: "tool_call"; readonly call: ToolCall }
  | ModelEnd;

export interface ModelEnd {
  readonly type: "end";
  readonly finishReason: FinishReason;
  readonly usage: Usage;
  /** True where the provider did not count and the adapter estimated. */
  readonly isUsageEstimated?: boolean;
  /** The model that answered, as the provider names it. */
  readonly model: string;
  /** The provider's ID of the answer or the request, which its support asks for. */
  readonly responseId?: string;
  /** For `Message.reasoning` of the next request. */
  readonly reasoning?: readonly Json[];
  /** What the answer cites by number, from 1, where the model brings its own passages: they take the place of `ModelRequest.passages`. */
  readonly passages?: readonly VectorHit[];
}

/** One model behind one URL, such as `mock:extractive`. */
export interface Model extends Checkable {
  /** `gen_ai.provider.name` of the OpenTelemetry GenAI conventions. */
  readonly provider: string;
  /** The model ID without its scheme. */
  readonly id: string;
  /** What its API does not take and the adapter leaves out, so that a model can take the place of another. Releases and starts warn of it. */
  readonly ignores?: readonly Ignorable[];
  /**
   * Streams the answer: any number of other chunks, each tool call whole behind its parts, then exactly one `end`. One attempt: whoever calls decides
   * about retries by the failure's `retry`, and never after the first chunk. Fails with the SERVICE_ codes, with SERVICE_CUT when the
   * stream ends without its end; an aborted signal ends the stream, and the request behind it, with the signal's reason.
   */
  generate(request: ModelRequest): AsyncIterable<ModelChunk>;
  /**
   * Does once what the first answer would wait for, where `check` does not: opens connections, finds credentials. Nothing is asked for
   * or paid, and it never fails. For a process that is about to answer.
   */
  warm?(): Promise<void>;
}
