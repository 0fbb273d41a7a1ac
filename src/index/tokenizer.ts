/** Counts the tokens of a text as one model's tokenizer does. */
export interface Tokenizer {
  /** Name of the encoding, part of the chunker's identity. */
  readonly name: string;
  readonly count: (text: string) => number;
}

/** How `cl100k_base` takes a text apart before it merges bytes (https://github.com/openai/tiktoken, `openai_public.py`). */
const words = /'(?:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+/giu;
/** Merging takes time in the square of a word's length, and only hostile or machine-made text has longer ones. */
const longestWord = 256;
const rememberedWords = 100_000;

/**
 * `cl100k_base`, the byte-pair encoding of OpenAI's embedding models: real tokens for these, and within a few per cent for
 * most others. The tokens of each word are looked up once, which is three times as fast as the library alone. A word of
 * more than 256 characters is counted in pieces of 256.
 */
export async function openTokenizer(): Promise<Tokenizer> {
  const { countTokens } = await import("gpt-tokenizer/encoding/cl100k_base");
  // What looks like a control token in a document is text like any other.
  const options = { disallowedSpecial: new Set<string>() };
  const remembered = new Map<string, number>();

  const countWord = (word: string): number => {
    const known = remembered.get(word);
    if (known !== undefined) return known;
    let tokens = 0;
    for (let start = 0; start < word.length; start += longestWord) tokens += countTokens(word.slice(start, start + longestWord), options);
    if (remembered.size < rememberedWords && word.length <= longestWord) remembered.set(word, tokens);
    return tokens;
  };

  return {
    name: "cl100k_base",
    count(text) {
      let tokens = 0;
      for (const word of text.match(words) ?? []) tokens += countWord(word);
      return tokens;
    },
  };
}
