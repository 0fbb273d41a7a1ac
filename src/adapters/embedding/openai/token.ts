import { cutTo } from "../text.ts";

/** Longer than any text that fits: a token of running text has four to five characters. */
const longestText = 60_000;

/** The start of a text that has at most `limit` tokens; OpenAI refuses a request with a longer text in it. */
export async function cutToTokens(text: string, limit: number): Promise<string> {
  // A token is at least one byte, so that nearly every text is known to fit without counting.
  if (text.length * 3 <= limit || Buffer.byteLength(text) <= limit) return text;
  const { default: tokenizer } = await import("gpt-tokenizer/encoding/cl100k_base");
  const start = cutTo(text, longestText);
  const tokens = tokenizer.encode(start, { allowedSpecial: new Set(), disallowedSpecial: new Set() });
  if (tokens.length <= limit) return start;
  // A cut in the middle of a character leaves a replacement sign, which stood in no text.
  return tokenizer.decode(tokens.slice(0, limit)).replace(/\uFFFD+$/, "");
}
