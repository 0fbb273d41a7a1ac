import type { Tokenizer } from "./library.ts";

/** Token numbers of texts, cut to a length. */
export interface Encoder {
  encode(text: string): readonly number[];
  /** Fills the rows of shorter texts. */
  readonly padding: number;
}

/** A cut text keeps the special tokens at its end: the model has never seen one without them. */
export function createEncoder(tokenizer: Tokenizer, maxTokens: number): Encoder {
  const ending = commonEnd(tokenizer.encode(""), tokenizer.encode("a"));
  return {
    padding: tokenizer.pad_token_id ?? 0,
    encode(text) {
      const tokens = tokenizer.encode(text);
      return tokens.length <= maxTokens ? tokens : [...tokens.slice(0, maxTokens - ending.length), ...ending];
    },
  };
}

/** Of a text without words and of one with a word: the special tokens that every text ends with. */
function commonEnd(left: readonly number[], right: readonly number[]): readonly number[] {
  let length = 0;
  while (length < left.length && left.at(-1 - length) === right.at(-1 - length)) length++;
  return right.slice(right.length - length);
}

/** Texts that go through the model together, by their place in the call. */
export type Rows = readonly { readonly place: number; readonly tokens: readonly number[] }[];

/**
 * Puts texts of like length together, so that little is padded, and no more tokens than memory allows: what a model
 * holds grows with the square of a text's length.
 */
export function groupRows(texts: readonly (readonly number[])[], mostTokens: number): readonly Rows[] {
  // A text without any token has no vector.
  const rows = texts.map((tokens, place) => ({ place, tokens })).filter(({ tokens }) => tokens.length > 0);
  const groups: Rows[] = [];
  let group: Rows = [];
  for (const row of rows.toSorted((left, right) => left.tokens.length - right.tokens.length)) {
    if (group.length > 0 && (group.length + 1) * row.tokens.length > mostTokens) {
      groups.push(group);
      group = [];
    }
    group = [...group, row];
  }
  return group.length === 0 ? groups : [...groups, group];
}
