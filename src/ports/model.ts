/** One message of a conversation. Retrieved text never arrives here as a role of its own. */
export interface Message {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
}

/** A retrieved passage the answer may rest on; the extractive mock answers from these. */
export interface Passage {
  /** The number that a citation such as [1] names, from 1. */
  readonly number: number;
  readonly text: string;
}

/** How a model chooses its words. What is left out is the model's own default. */
export interface Sampling {
  readonly temperature?: number;
  readonly topP?: number;
  readonly maxTokens?: number;
  readonly stop?: readonly string[];
  readonly seed?: number;
  /** `json` asks for one JSON value. */
  readonly format?: "text" | "json";
}

export interface ModelRequest extends Sampling {
  readonly messages: readonly Message[];
  /** What retrieval found, already rendered into `messages`; models that only read messages ignore it. */
  readonly passages: readonly Passage[];
  /** The user's own words, as they stand in `messages` among the prompt's. The extractive mock looks for them in the passages. */
  readonly question?: string;
  readonly signal?: AbortSignal;
}

/** Counted by the provider, or by the adapter where the provider does not count. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Part of `inputTokens` that was read from the provider's cache. */
  readonly cachedInputTokens: number;
}

export type FinishReason = "stop" | "length" | "content_filter" | "tool_calls" | "error";

export type ModelChunk =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "end"; readonly finishReason: FinishReason; readonly usage: Usage; readonly model: string; readonly responseId?: string };

/** One model behind one URL, such as `mock:extractive`. */
export interface Model {
  /** `gen_ai.provider.name` of the OpenTelemetry GenAI conventions. */
  readonly provider: string;
  /** The model ID without its scheme. */
  readonly id: string;
  /**
   * Streams the answer: any number of `text` chunks, then exactly one `end`. Fails with SERVICE_FAILED; an aborted
   * signal ends the stream with the signal's reason.
   */
  generate(request: ModelRequest): AsyncIterable<ModelChunk>;
}
