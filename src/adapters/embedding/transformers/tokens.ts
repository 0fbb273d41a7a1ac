import type { Tokenizer } from "../../transformers/library.ts";

/**
 * Turns a text into token numbers, at most so many. A cut text keeps the special tokens at its end: the model has never
 * seen one without them.
 */
export function createEncoder(tokenizer: Tokenizer, maxTokens: number): (text: string) => readonly number[] {
  const ending = commonEnd(tokenizer.encode(""), tokenizer.encode("a"));
  return (text) => {
    const tokens = tokenizer.encode(text);
    return tokens.length <= maxTokens ? tokens : [...tokens.slice(0, maxTokens - ending.length), ...ending];
  };
}

/** Of a text without words and of one with a word: the special tokens that every text ends with. */
function commonEnd(left: readonly number[], right: readonly number[]): readonly number[] {
  let length = 0;
  while (length < left.length && left.at(-1 - length) === right.at(-1 - length)) length++;
  return right.slice(right.length - length);
}
