import { mention } from "../citation.ts";

/** A text in pieces: what is written, and the numbers of the sources that it cites. */
export function splitMarks(text: string, isSource: (number: number) => boolean): readonly (string | number)[] {
  const pieces: (string | number)[] = [];
  let end = 0;
  for (const { 0: mark, 1: list = "", index } of text.matchAll(mention)) {
    const numbers = list.split(/[,;]/).map(Number);
    // A bracket that names nothing we have is no citation, but a part of the text.
    if (!numbers.every(isSource)) continue;
    pieces.push(text.slice(end, index), ...numbers);
    end = index + mark.length;
  }
  return [...pieces, text.slice(end)].filter((piece) => piece !== "");
}
