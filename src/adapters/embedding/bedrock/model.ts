import { cutTo, sendable } from "../text.ts";

export interface TextModel {
  /** What the answer's embeddings are called in a request for documents and for queries; null for a model that knows no such thing. */
  readonly documentTask: string | null;
  readonly queryTask: string | null;
  readonly dimensions: number;
  /** The lengths that can be asked for; empty where there is no choice. */
  readonly choices: readonly number[];
  readonly maxTextTokens: number;
  /** How many texts one request may carry. */
  readonly maxBatch: number;
  /** More than usual for a model that takes one text a request; still below the default quota. */
  readonly requestsAtOnce?: number;
  request(texts: readonly string[], how: { readonly task: string | null; readonly dimensions: number | undefined }): unknown;
  /** The vectors of an answer, as they were written. */
  vectors(answer: unknown): unknown;
}

type Answer = Readonly<Record<string, unknown>>;
const fieldOf = (value: unknown, name: string): unknown => (typeof value === "object" && value !== null ? (value as Answer)[name] : undefined);

/** Titan refuses a longer text, whatever its tokens. */
const titanCharacters = 50_000;

function titan(model: Pick<TextModel, "dimensions" | "choices">): TextModel {
  return {
    ...model,
    documentTask: null,
    queryTask: null,
    maxTextTokens: 8192,
    maxBatch: 1,
    requestsAtOnce: 16,
    request: ([text = ""], { dimensions }) => ({ inputText: cutTo(sendable(text), titanCharacters), ...(model.choices.length === 0 ? {} : { dimensions: dimensions ?? model.dimensions, normalize: true }) }),
    vectors: (answer) => [fieldOf(answer, "embedding")],
  };
}

interface CohereModel extends Pick<TextModel, "dimensions" | "choices" | "maxTextTokens"> {
  readonly truncate: "END" | "RIGHT";
  readonly maxCharacters: number;
}

function cohere({ truncate, maxCharacters, ...model }: CohereModel): TextModel {
  return {
    ...model,
    documentTask: "search_document",
    queryTask: "search_query",
    maxBatch: 96,
    request: (texts, { task, dimensions }) => ({
      texts: texts.map((text) => cutTo(sendable(text), maxCharacters)),
      input_type: task,
      truncate,
      embedding_types: ["float"],
      ...(dimensions === undefined ? {} : { output_dimension: dimensions }),
    }),
    // By type where types were asked for; some versions answer with the bare list all the same.
    vectors: (answer) => fieldOf(fieldOf(answer, "embeddings"), "float") ?? fieldOf(answer, "embeddings"),
  };
}

/** By the model's own ID, without the region that an inference profile puts before it. */
export const textModels: Readonly<Record<string, TextModel>> = {
  "amazon.titan-embed-text-v2:0": titan({ dimensions: 1024, choices: [256, 512, 1024] }),
  "amazon.titan-embed-text-v1": titan({ dimensions: 1536, choices: [] }),
  // Version 3 takes no text of more than 2,048 characters.
  "cohere.embed-english-v3": cohere({ dimensions: 1024, choices: [], maxTextTokens: 512, truncate: "END", maxCharacters: 2048 }),
  "cohere.embed-multilingual-v3": cohere({ dimensions: 1024, choices: [], maxTextTokens: 512, truncate: "END", maxCharacters: 2048 }),
  "cohere.embed-v4:0": cohere({ dimensions: 1536, choices: [256, 512, 1024, 1536], maxTextTokens: 128_000, truncate: "RIGHT", maxCharacters: 500_000 }),
};
