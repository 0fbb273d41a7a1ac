import { TwelveError } from "../../core/errors.ts";
import type { EmbeddingRequest } from "./embeddings-schema.ts";

type Input = EmbeddingRequest["input"];

/**
 * The texts of an input. Tokens are read as those of OpenAI's embedding models, which are all cl100k_base, so that any embedder can take what they
 * stand for. Fails with REQUEST_INVALID for what is no such token.
 */
export async function textsOf(input: Input): Promise<readonly string[]> {
  if (typeof input === "string") return [input];
  if (isTexts(input)) return input;
  const lists = isTokens(input) ? [input] : input;
  const { decode } = await import("gpt-tokenizer/encoding/cl100k_base");
  return lists.map((tokens, position) => {
    try {
      return decode(tokens);
    } catch (cause) {
      const path = isTokens(input) ? "input" : `input[${position}]`;
      throw new TwelveError("REQUEST_INVALID", "The input has tokens that are not of the encoding cl100k_base", { cause, problems: [{ path, message: "Send texts, or tokens of cl100k_base, which OpenAI's embedding models read" }] });
    }
  });
}

function isTexts(input: Exclude<Input, string>): input is string[] {
  return typeof input[0] === "string";
}

function isTokens(input: Exclude<Input, string | string[]>): input is number[] {
  return typeof input[0] === "number";
}
