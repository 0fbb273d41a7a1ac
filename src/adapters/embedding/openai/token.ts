import { cutTo } from "../text.ts";

/** The tokenizer's time grows with the square of a word's length, and a text without spaces is one word. */
const sliceLength = 1000;

/** The start of a text that has at most `limit` tokens; OpenAI refuses a request with a longer text in it. */
export async function cutToTokens(text: string, limit: number): Promise<string> {
  // A token is at least one byte, so that nearly every text is known to fit without counting.
  if (text.length * 3 <= limit || Buffer.byteLength(text) <= limit) return text;
  const { default: tokenizer } = await import("gpt-tokenizer/encoding/cl100k_base");
  let left = limit;
  for (let start = 0; start < text.length; ) {
    const slice = cutTo(text.slice(start, start + sliceLength + 1), sliceLength);
    const tokens = tokenizer.encode(slice, { allowedSpecial: new Set(), disallowedSpecial: new Set() });
    if (tokens.length > left) return text.slice(0, start) + startOf(slice, (count) => tokenizer.decode(tokens.slice(0, count)), left);
    left -= tokens.length;
    start += slice.length;
  }
  return text;
}

/** A token may end in the middle of a character, and then decodes to a sign that is not in the text. */
function startOf(slice: string, decode: (count: number) => string, most: number): string {
  for (let count = most; count > 0; count--) {
    const start = decode(count);
    if (slice.startsWith(start)) return start;
  }
  return "";
}
