/** Quote and list marks at the begin of a line, within each other. */
const marks = /^(?:[ \t]*(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t])))+/;
const mark = />|[-+*]|\d+[.)]/g;
const deep = 10;
/** A few seconds of the parser's time; no list that people write comes near it. */
const maxCost = 40_000_000;

/**
 * Whether the parser would take too long. Wherever a quote or an item ends, it copies all that it has found so far, so
 * its time grows with the square of their number; and each line costs it as much as the line is deep.
 */
export function isNestedBeyondReason(text: string): boolean {
  let ends = 0;
  let opened = 0;
  let deeplyOpened = 0;
  let isQuoteAbove = false;
  for (const line of text.split("\n")) {
    const found = marks.exec(line)?.[0].match(mark) ?? [];
    opened += found.length;
    if (found.length > deep) deeplyOpened += found.length;
    const isQuote = found.length > 0 && found.every((each) => each === ">");
    if (found.length > 0 && !(isQuote && isQuoteAbove)) ends++;
    isQuoteAbove = isQuote;
  }
  return ends * opened + 1000 * deeplyOpened > maxCost;
}
