import type { RetrievedChunk } from "../retrieval/schema.ts";

const code = /(`{3,}|~{3,})[\s\S]*?(?:\1|$)|(`+)[^`]+\2/g;
/** `[1]`, `[1, 3]` or `[2;3]`; a bracket before a parenthesis or colon is markdown's link or reference. */
export const mention = /\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\](?![(:])/g;

/** The retrieved chunks whose numbers a text cites, in order of first mention. Numbers that name no chunk are no citations. */
export function citationsIn(text: string, retrieved: readonly RetrievedChunk[]): readonly RetrievedChunk[] {
  if (retrieved.length === 0 || !text.includes("[")) return [];
  const prose = /`|~~~/.test(text) ? text.replaceAll(code, " ") : text;
  const numbers = [...prose.matchAll(mention)].flatMap(([, list]) => (list ?? "").split(/[,;]/).map(Number));
  return [...new Set(numbers)].flatMap((number) => retrieved.find((chunk) => chunk.number === number) ?? []);
}
