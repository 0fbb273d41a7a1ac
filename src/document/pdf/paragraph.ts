import { type Line, lineText } from "./line.ts";

export interface PageShape {
  /** From one line to the next inside a paragraph, in points. */
  readonly leading: number;
  /** Of the widest lines. */
  readonly width: number;
}

export const bullet = /^\s*[•▪◦‣●○■□–∙·]\s*(?=\S)/;
const sentenceEnd = /[.!?:;。！？][)\]"'”’»]?\s*$/;

export function shapeOf(lines: readonly Line[]): PageShape {
  const steps = lines.flatMap((line, i) => {
    const next = lines[i + 1];
    const step = next === undefined ? 0 : line.y - next.y;
    return next !== undefined && step > 0 && step < line.size * 3 && Math.abs(next.size - line.size) < 1 ? [step / line.size] : [];
  }).sort((left, right) => left - right);
  const widths = lines.map(({ left, right }) => right - left).sort((left, right) => left - right);
  // The lower third, so that a page of headings and short entries does not make every gap a normal one.
  return { leading: steps[Math.floor(steps.length / 3)] ?? 1.2, width: widths[Math.floor(widths.length * 0.9)] ?? 0 };
}

/** Whether a line begins a paragraph, by what stands above it on the page. */
export function beginsParagraph(line: Line, above: Line, { leading, width }: PageShape): boolean {
  const text = lineText(line);
  const step = above.y - line.y;
  const isEnded = sentenceEnd.test(lineText(above));
  if (bullet.test(text) || /^\s*(?:\(?\d{1,3}[.)]|[a-z]\))\s/.test(text) && (isEnded || line.left <= above.left)) return true;
  if (Math.abs(line.size - above.size) > Math.max(line.size, above.size) * 0.15) return true;
  // In the next column, or on the next page, a sentence may go on.
  if (step < 0) return isEnded || !/^\s*\p{Ll}/u.test(text);
  if (step > leading * line.size * 1.35) return true;
  const isIndented = line.left > above.left + line.size * 0.8;
  return isEnded && (isIndented || above.right - above.left < width * 0.75);
}

/** Lines that were broken for want of room are one; others, as in an address, stay apart. */
export function joinLines(lines: readonly Line[], { width }: PageShape, words: ReadonlySet<string>): string {
  let text = "";
  for (const [i, line] of lines.entries()) {
    const own = lineText(line).trim();
    const above = lines[i - 1];
    if (above === undefined) text = own;
    else if (/\p{L}[-\u2010\u00ad]$/u.test(text) && /^\p{Ll}/u.test(own)) text = mend(text, own, words);
    else if (above.right - above.left < width * 0.6 && !/^\p{Ll}/u.test(own)) text += `\n${own}`;
    else text += isSpaceless(text.at(-1)) && isSpaceless(own.at(0)) ? own : ` ${own}`;
  }
  return text.replaceAll("\u00ad", "");
}

/** A word that was broken at the end of a line, unless its hyphen is its own: then its parts or the whole are used elsewhere. */
function mend(text: string, next: string, words: ReadonlySet<string>): string {
  const start = /[\p{L}\p{N}]+(?=.$)/u.exec(text)?.[0].toLowerCase() ?? "";
  const end = /^\p{L}+/u.exec(next)?.[0].toLowerCase() ?? "";
  const isOwn = !text.endsWith("\u00ad") && !words.has(`${start}${end}`) && (words.has(`${start}-${end}`) || (words.has(start) && words.has(end)));
  return isOwn ? `${text}${next}` : `${text.slice(0, -1)}${next}`;
}

/** Japanese and Chinese are written without spaces, Korean is not. */
function isSpaceless(character: string | undefined): boolean {
  return character !== undefined && /[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]/.test(character);
}
