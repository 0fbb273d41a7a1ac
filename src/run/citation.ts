import type { RetrievedChunk } from "../retrieval/schema.ts";

const code = /(`{3,}|~{3,})[\s\S]*?(?:\1|$)|(`+)[^`]+\2/g;
/** `[1]`, `[1, 3]` or `[2;3]`; a bracket before a parenthesis or colon is markdown's link or reference. */
export const mention = /\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\](?![(:])/g;

/** A passage where a text cites it. */
export interface Mention {
  readonly chunk: RetrievedChunk;
  /** Where in the text the bracket opens. */
  readonly at: number;
}

/** Every place where a text cites a retrieved chunk. Numbers that name no chunk are no citations. */
export function mentionsIn(text: string, retrieved: readonly RetrievedChunk[]): readonly Mention[] {
  if (retrieved.length === 0 || !text.includes("[")) return [];
  const prose = /`|~~~/.test(text) ? text.replaceAll(code, (found) => " ".repeat(found.length)) : text;
  return [...prose.matchAll(mention)].flatMap(({ 1: list = "", index }) =>
    list.split(/[,;]/).flatMap((number) => {
      const chunk = retrieved.find((each) => each.number === Number(number));
      return chunk === undefined ? [] : [{ chunk, at: index }];
    }),
  );
}

/** The chunks that a text cites, in order of first mention. */
export function citationsIn(text: string, retrieved: readonly RetrievedChunk[]): readonly RetrievedChunk[] {
  return [...new Set(mentionsIn(text, retrieved).map(({ chunk }) => chunk))];
}
